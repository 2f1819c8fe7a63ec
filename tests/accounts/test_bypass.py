"""Invitations that let in people whom no rule of access does."""

import pytest

from tests.accounts.membership import ORG, Members
from tests.browser import Browser
from tests.commands.console import answer, run

NOBODY = '[deny]\nemails = ["linus@chemistry.example"]\n'
REFUSED = "This account can't sign in here"


def invited(members: Members, *options: str) -> Browser:
    link = answer(members.site, "invitations", "add", *options)["link"]
    browser: Browser = members.site.browser()
    browser.get(link.removeprefix(members.site.url))
    return browser


def given(browser: Browser) -> tuple[list[str], list[str]]:
    """The groups and roles of the person."""
    me = browser.me()
    assert me
    return me["groups"], me["roles"]


@pytest.fixture(params=["sqlite", "postgresql"])
def members(request, make_site) -> Members:
    return Members(make_site, ORG, request.param)


def test_only_an_invitation_that_says_so_takes_the_place_of_a_rule(members):
    assert invited(members).sign_in("google", "linus").alert == REFUSED
    assert members.site.user_count() == 0
    browser = invited(members, "--bypass", "--groups", "guests")
    browser.sign_in("google", "linus")
    assert given(browser) == (["guests"], [])
    # It holds for the account, not for one browser or session.
    members.recheck()
    assert browser.me()
    assert members.signed_in("linus", "google").user_id == browser.user_id
    explained = run(members.site, "access", "explain", str(browser.user_id)).stdout
    assert "may come in    yes" in explained
    assert "invitation     lets in, whatever the rules say" in explained
    (item, plain) = answer(members.site, "invitations", "list")["items"]
    assert (item["bypass"], item["used"], plain["bypass"], plain["used"]) == (True, 1, False, 0)


def test_it_gives_nothing_that_a_rule_gives(members):
    browser = invited(members, "--bypass")
    browser.sign_in("github", "linus")
    assert given(browser) == ([], [])


def test_deny_beats_it_before_and_after_it_was_used(make_site):
    members = Members(make_site, ORG + NOBODY)
    page = invited(members, "--bypass").sign_in("google", "linus")
    assert (page.alert, members.site.user_count()) == (REFUSED, 0)
    members.site.restart(ACCESS_RULES=ORG)
    browser = invited(members, "--bypass")
    browser.sign_in("google", "linus")
    assert browser.me()
    members.site.restart(ACCESS_RULES=ORG + NOBODY)
    members.recheck()
    assert browser.me() is None


def test_one_that_was_used_says_so(make_site):
    members = Members(make_site)
    link = answer(members.site, "invitations", "add", "--bypass")["link"]
    path, late = link.removeprefix(members.site.url), members.site.browser()
    for browser in (late, first := members.site.browser()):
        browser.get(path)
    first.sign_in("google", "linus")
    assert late.sign_in("google", "leila").alert == "This invitation was used already"
    assert members.site.user_count() == 1


def test_it_opens_no_account_of_others_who_lost_their_access(make_site):
    """Joining by address does not use the invitation, so it cannot bring back what was lost."""
    members = Members(make_site)
    members.site.restart(ACCESS_RULES=ORG, ACCOUNT_LINKING="auto")
    browser = members.signed_in("ada")
    members.acme.members.clear()
    members.recheck()
    assert browser.me() is None
    newcomer = invited(members, "--bypass")
    newcomer.sign_in("google", "ada")
    assert newcomer.me() is None
    assert members.site.user_count() == 1


def test_a_merge_keeps_it(make_site):
    members = Members(make_site)
    guest = invited(members, "--bypass")
    guest.sign_in("google", "grace")
    browser = members.signed_in("ada")
    page = browser.answer(browser.link("google", "grace"), "merge")
    assert page.message == "Accounts merged."
    members.acme.members.clear()
    members.recheck()
    assert browser.me()
