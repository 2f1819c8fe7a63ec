"""Who is let in by the operator's rules, at a sign-in and a link."""

import pytest

from tests.accounts.membership import DOMAIN, ORG, Members

BOTH = ORG + DOMAIN


@pytest.fixture(params=["sqlite", "postgresql"])
def members(request, make_site) -> Members:
    return Members(make_site, BOTH, request.param)


def test_a_member_comes_in_with_the_groups_of_the_rule(members):
    assert members.signed_in("ada").me()["groups"] == ["engineers"]
    assert members.signed_in("grace", "google").me()["groups"] == ["navy"]


def test_somebody_else_gets_no_account_and_learns_no_rule(members):
    browser = members.site.browser()
    page = browser.sign_in("github", "linus")
    assert page.alert == "This account can't sign in here"
    assert "acme" not in page.text
    assert members.site.user_count() == 0


def test_a_member_who_left_is_refused_at_the_next_sign_in_and_signed_out_everywhere(members):
    elsewhere = members.signed_in("ada")
    del members.acme.members["ada"]
    page = members.site.browser().sign_in("github", "ada")
    assert page.alert == "This account can't sign in here"
    assert elsewhere.me() is None
    page = elsewhere.get("/account")
    assert "You no longer have access: your membership of acme on GitHub ended." in page.text
    members.acme.members["ada"] = "active"
    assert members.signed_in("ada").me()["groups"] == ["engineers"]
    assert members.site.user_count() == 1


def test_a_provider_that_cannot_be_asked_lets_in_whom_it_let_in_before(members):
    members.signed_in("ada")
    members.github.answers["organisation"] = "status_503"
    assert members.signed_in("ada").me()["groups"] == ["engineers"]
    members.recheck()
    ((facts,),) = members.site.rows("SELECT facts FROM access_checks")
    assert "answered 503" in str(facts)
    assert "503 ?" not in str(facts), "a code of an error that the answer does not have"
    members.fail_since(hours=25)
    page = members.site.browser().sign_in("github", "ada")
    assert page.alert == "We couldn't find out whether you may come in"
    del members.github.answers["organisation"]
    members.signed_in("ada")


def test_a_provider_that_cannot_be_asked_lets_in_nobody_new(members):
    members.github.answers["organisation"] = "status_503"
    page = members.site.browser().sign_in("github", "ada")
    assert (page.alert, page.status) == ("We couldn't find out whether you may come in", 503)
    assert members.site.user_count() == 0


def test_one_of_two_identities_is_enough(members):
    browser = members.signed_in("grace")
    browser.link("google", "grace")
    assert browser.me()["groups"] == ["engineers", "navy"]
    del members.acme.members["grace"]
    members.recheck()
    assert browser.me()["groups"] == ["navy"]
    # The other identity signs in too: its person is in.
    assert members.signed_in("grace").me()["groups"] == ["navy"]


def test_losing_both_of_two_identities_ends_the_access(make_site):
    members = Members(make_site, ORG + '[[allow]]\ngithub.org = "labs"\n')
    labs = members.github.organisations.add("labs", 18, grace="active")
    browser = members.signed_in("ada")
    browser.link("github", "grace")
    members.acme.members.clear()
    members.recheck()
    assert browser.me()
    labs.members.clear()
    members.recheck()
    assert browser.me() is None


def test_an_identity_that_no_rule_is_about_can_be_linked_by_somebody_who_is_in(members):
    browser = members.signed_in("ada")
    browser.link("google", "linus")
    assert browser.providers() == ["github", "google"]
    # Both sign in: it is one person, who is in.
    assert members.signed_in("linus", "google").user_id == browser.user_id


def test_nobody_links_an_allowed_identity_to_an_account_that_is_not_in(members):
    browser = members.signed_in("ada")
    members.site.execute("DELETE FROM access_checks")
    page = browser.link("google", "grace")
    assert page.alert
    assert browser.providers() == ["github"]


def test_the_identity_that_lets_in_cannot_be_removed(members):
    browser = members.signed_in("ada")
    browser.link("google", "linus")
    assert browser.unlink(browser.identity("github")).status == 409
    browser.unlink(browser.identity("google"))
    assert browser.providers() == ["github"]


def test_removing_an_identity_takes_away_the_groups_that_it_gave(members):
    browser = members.signed_in("grace")
    browser.link("google", "grace")
    browser.unlink(browser.identity("github"))
    assert browser.me()["groups"] == ["navy"]


def test_a_denied_address_keeps_out_a_member(make_site):
    members = Members(make_site, BOTH + '[deny]\nemails = ["grace@navy.example"]\n')
    page = members.site.browser().sign_in("github", "grace")
    assert page.alert == "This account can't sign in here"
    browser = members.signed_in("ada")
    page = browser.link("google", "grace")
    assert page.alert == "This account can't sign in here"
    assert browser.providers() == ["github"]


def test_a_rule_that_comes_later_asks_for_its_scope_once(make_site):
    members = Members(make_site, '[[allow]]\ndomain = "gmail.com"\n')
    browser = members.signed_in("ada")
    members.site.restart(ACCESS_RULES=ORG)
    assert "read%3Aorg" in members.site.browser().begin("github")
    members.recheck()
    # The stored token lacks the scope: one sign-in brings it, and then nothing else is asked.
    assert "Sign in again, and allow that to be seen" in browser.get("/login").text
    again = members.signed_in("ada")
    members.recheck()
    assert (again.me() or {})["groups"] == ["engineers"]


def test_a_person_who_does_not_share_the_membership_is_told_so(members):
    browser = members.site.browser()
    url = browser.begin("github").replace("read%3Aorg", "")
    page = browser.get(browser.choose(url, "ada"))
    assert page.alert == "GitHub has to tell us a little more"
    assert "Try again" in page.buttons


def test_an_empty_file_lets_in_nobody(make_site):
    members = Members(make_site, "# Nobody.\n")
    for provider in ("google", "github"):
        page = members.site.browser().sign_in(provider, "ada")
        assert page.alert == "This account can't sign in here"


def test_no_group_comes_from_a_claim_but_those_that_a_rule_gives(make_site):
    rules = '[[allow]]\noidc.acme.groups = "core"\ngroups = ["engineers"]\n'
    site = make_site(look_alikes=("acme",), ACCESS_RULES=rules)
    claims = {"groups": ["core", "admins"], "roles": ["admin"]}
    site.simulator.acme.told["userinfo", "grace"] = claims
    browser = site.browser()
    browser.sign_in("acme", "grace")
    assert (browser.me()["groups"], browser.me()["roles"]) == (["engineers"], [])


def test_deny_keeps_out_an_administrator(make_site):
    members = Members(make_site)
    ada = members.signed_in("ada")
    ((subject,),) = members.site.rows("SELECT subject FROM oauth")
    admins = f"github:{subject}"
    members.site.restart(ADMINS=admins)
    assert ada.get("/admin").path == "/admin/people"
    members.site.restart(ADMINS=admins, ACCESS_RULES=ORG + '[deny]\nemails = ["ada@gmail.com"]\n')
    members.site.inside(members.job().work)
    members.recheck()
    assert ada.me() is None
    assert ada.get("/admin").path != "/admin/people"
    page = members.site.browser().sign_in("github", "ada")
    assert page.alert == "This account can't sign in here"
