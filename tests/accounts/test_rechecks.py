"""The job that asks providers again: whom, how often, and what follows."""

import pytest

from tests.accounts.membership import DOMAIN, LONG_AGO, ORG, Members
from tests.browser import Browser


@pytest.fixture(params=["sqlite", "postgresql"])
def members(request, make_site) -> Members:
    return Members(make_site, ORG, request.param)


def asked(members: Members) -> int:
    return int(members.github.seen.count("organisation"))


def groups_of(browser: Browser) -> list[str]:
    me = browser.me()
    return list(me["groups"]) if me else []


def test_a_member_who_left_loses_every_session_at_the_next_check(members):
    browser, phone = members.signed_in("ada"), members.signed_in("ada")
    other = members.signed_in("grace")
    del members.acme.members["ada"]
    members.recheck()
    assert (browser.fetch("/api/v1/me").status, phone.me()) == (401, None)
    assert other.me()["groups"] == ["engineers"]
    page = browser.get("/account")
    assert "You no longer have access: your membership of acme on GitHub ended." in page.text
    members.acme.members["ada"] = "active"
    page = members.signed_in("ada").get("/account/activity")
    assert "Access to this site ended, with your membership of acme on GitHub" in page.text
    assert "Removed from the group engineers" in page.text
    assert "This site's rules" in page.text
    assert members.site.user_count() == 2


def test_a_silent_provider_changes_nothing_for_the_time_of_grace(members):
    browser = members.signed_in("ada")
    for answer in ("status_503", "status_429", "hang_up"):
        members.github.answers["organisation"] = answer
        members.recheck()
        assert browser.me()["groups"] == ["engineers"]
    members.fail_since(hours=23)
    members.recheck()
    assert browser.me()
    members.fail_since(hours=25)
    members.recheck()
    assert browser.me() is None
    text = browser.get("/login").text
    assert "nobody could tell us about your membership of acme on GitHub" in text
    members.github.answers.clear()
    assert members.signed_in("ada").me()["groups"] == ["engineers"]


def test_a_revoked_authorization_counts_for_the_time_of_grace_only(members):
    browser = members.signed_in("ada")
    members.github.tokens.clear()
    members.recheck()
    assert browser.me()
    members.fail_since(hours=25)
    members.recheck()
    assert browser.me() is None


def test_an_expired_token_that_nothing_renews_counts_for_the_time_of_grace_only(make_site):
    """The provider gave no refresh token, so nobody can be asked until the next sign-in."""
    members = Members(make_site)
    browser = members.signed_in("ada")
    members.site.execute("UPDATE oauth SET token_expires_at = :at", at=LONG_AGO)
    before = asked(members)
    members.recheck()
    assert asked(members) == before
    assert groups_of(browser) == ["engineers"]
    members.fail_since(hours=23)
    members.recheck()
    assert browser.me()
    members.fail_since(hours=25)
    members.recheck()
    assert browser.me() is None
    assert groups_of(members.signed_in("ada")) == ["engineers"]


def test_each_round_asks_a_provider_about_one_person_and_everybody_once(make_site):
    members = Members(make_site)
    people = ("ada", "grace", "linus", "leila", "bobby")
    members.acme.members.update(dict.fromkeys(people, "active"))
    for person in people:
        members.signed_in(person)
    members.pass_time()
    before = asked(members)
    for number in range(1, len(people) + 1):
        assert members.run() == 1
        # Before the pause has passed, on whatever instance, nobody is asked.
        assert members.run() == 0
        assert asked(members) - before == number
        members.end_pause()
    assert members.run() == 0
    assert asked(members) - before == len(people)


def test_nobody_is_asked_about_people_who_are_signed_out_or_disabled(members):
    members.signed_in("ada").sign_out()
    members.signed_in("grace")
    members.site.execute("UPDATE users SET disabled_at = '2026-01-01 00:00:00'")
    before = asked(members)
    members.recheck()
    assert asked(members) == before


def test_while_the_circuit_is_open_nothing_is_sent(members):
    browser = members.signed_in("ada")
    members.github.answers["organisation"] = "hang_up"
    for _ in range(5):
        members.recheck()
    before = asked(members)
    members.recheck()
    assert asked(members) == before
    assert browser.me()


def test_other_rules_are_applied_to_people_who_are_signed_in_after_a_restart(make_site):
    members = Members(make_site, '[[allow]]\ndomain = "gmail.com"\n')
    ada = members.signed_in("ada", "google")
    members.site.restart(ACCESS_RULES=DOMAIN)
    members.site.inside(members.job().work)
    assert ada.me() is None
    assert "what let you in here ended" in ada.get("/login").text


def test_people_from_before_the_first_rules_are_checked_too(make_site):
    members = Members(make_site)
    members.site.restart(ACCESS_RULES="")
    ada, linus = members.signed_in("ada"), members.signed_in("linus", "google")
    members.site.restart(ACCESS_RULES=DOMAIN)
    members.site.inside(members.job().work)
    assert (ada.me(), linus.me()) == (None, None)


def test_groups_by_rules_follow_the_rules_and_others_stay(members):
    browser = members.signed_in("ada")
    arguments = ["groups", "add", "friends", str(browser.user_id)]
    assert members.site.app.test_cli_runner().invoke(args=arguments).exit_code == 0
    members.site.restart(ACCESS_RULES=ORG.replace("engineers", "builders"))
    members.site.inside(members.job().work)
    members.recheck()
    assert browser.me()["groups"] == ["builders", "friends"]
