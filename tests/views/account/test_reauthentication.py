"""Reauthentication for sensitive acts: which sessions count, in which browser, and for how long."""

import pytest

from tests.browser import Browser
from tests.site import Site

LONG_AGO = "2026-01-01 00:00:00.000000"


@pytest.fixture
def grace(browser):
    """Grace, signed in with Google."""
    browser.sign_in("google", "grace")
    return browser


def grow_old(site: Site) -> None:
    """Set the auth_time of every session to long ago."""
    site.execute("UPDATE sessions SET authenticated_at = :at", at=LONG_AGO)


def plant(browser: Browser, session: str | None) -> None:
    """Put another user's session cookie into a browser, as a thief or a neighbouring host can."""
    browser.http.cookies.set("session", session, domain="localhost.local", path="/")


# Linking.


def test_linking_needs_a_recent_sign_in(grace, site):
    """A linked identity stays, so a minute with a stolen session would be enough."""
    grow_old(site)
    page = grace.post("/account/link/github")
    assert page.heading == "Confirm it's you"
    assert "You're about to add a sign-in method. Sign in again to continue." in page.text
    assert site.rows("SELECT count(*) FROM flows")[0][0] == 0
    assert grace.reauth(page, "grace").path == "/account"
    assert grace.link("github", "grace").message == "GitHub connected. You can now sign in with it."


def test_a_link_that_ends_after_the_reauthentication_expired_adds_nothing(grace, site):
    callback = grace.choose(grace.begin_link("github"), "grace")
    grow_old(site)
    assert grace.get(callback).heading == "Confirm it's you"
    assert grace.providers() == ["google"]


def test_a_stolen_session_cannot_link_the_thiefs_identity(grace, other, site):
    """With it, the session could reauthenticate, and remove the owner's identities."""
    plant(other, grace.cookie("session"))
    assert other.user_id == grace.user_id
    assert other.post("/account/link/github").heading == "Confirm it's you"
    grow_old(site)
    page = other.post("/account/link/github")
    assert page.heading == "Confirm it's you"
    assert other.reauth(page, "mallory").alert == "That's a different account"
    assert grace.providers() == ["google"]


# Acts that count as reauthentication.


def test_a_plain_sign_in_does_not_reauthenticate_a_signed_in_browser(grace, site):
    """A provider where the owner is signed in signs anybody at this browser in again, without a
    question."""
    grace.link("github", "grace")
    identity = grace.identity("github")
    grow_old(site)
    grace.sign_in("google", "grace")
    assert grace.get(f"/account/unlink/{identity}").heading == "Confirm it's you"
    grace.sign_in("github", "grace")
    page = grace.unlink(identity)
    assert page.heading == "Confirm it's you"
    assert grace.reauth(page, "grace").heading == "Remove GitHub?"


def test_a_sign_in_after_signing_out_counts_as_reauthentication(grace, site):
    grace.link("github", "grace")
    grow_old(site)
    grace.sign_out()
    grace.sign_in("google", "grace")
    assert grace.get(f"/account/unlink/{grace.identity('github')}").heading == "Remove GitHub?"


def test_signing_in_as_another_user_counts_as_their_reauthentication(grace, other, site):
    other.sign_in("github", "linus")
    other.link("facebook", "linus")
    grow_old(site)
    grace.answer(grace.sign_in("github", "linus"), "switch")
    page = grace.get(f"/account/unlink/{grace.identity('facebook')}")
    assert page.heading == "Remove Facebook?"


def test_connecting_needs_a_recent_reauthentication_and_resumes_after_it(browser, site):
    browser.sign_in("google", "ada")
    grow_old(site)
    page = browser.sign_in("github", "ada")
    assert page.heading == "Confirm it's you"
    assert "You're about to connect a sign-in method." in page.text
    page = browser.reauth(page, "ada")
    assert page.heading == "Connect GitHub to your account?"
    browser.answer(page, "connect")
    assert browser.providers() == ["github", "google"]


# Planted cookies.


def test_a_planted_session_cannot_connect_the_victims_identity(grace, other):
    """A neighbouring host can set a cookie named "session" for this one, but no __Host- cookie."""
    other.sign_in("github", "mallory")
    plant(grace, other.cookie("session"))
    assert grace.user_id == other.user_id
    for path in ("/account/link/google", "/account/sessions/end-others"):
        assert grace.post(path).heading == "Confirm it's you"
    assert grace.fetch("/account/reauth").status == 200
    assert other.providers() == ["github"]


def test_a_planted_session_cannot_complete_a_link(grace, other):
    """Even with the attacker's own flow in the victim's browser."""
    other.sign_in("github", "mallory")
    location = other.begin_link("google")
    plant(grace, other.cookie("session"))
    for cookie in other.http.cookies:
        if cookie.name.startswith("flow_"):
            grace.http.cookies.set_cookie(cookie)
    assert grace.get(grace.choose(location, "grace")).heading == "Confirm it's you"
    assert other.providers() == ["github"]


def test_a_planted_session_cannot_connect_or_merge(grace, other, site):
    grace.sign_out()
    other.sign_in("github", "mallory")  # an account with Ada's address, unverified
    plant(grace, other.cookie("session"))
    page = grace.sign_in("google", "ada")
    assert page.heading == "Confirm it's you"
    assert other.providers() == ["github"]
    assert site.user_count() == 2


def test_a_browser_with_a_planted_session_can_switch_to_its_own_account(grace, other):
    mine = grace.user_id
    other.sign_in("github", "linus")
    plant(grace, other.cookie("session"))
    page = grace.sign_in("google", "grace")
    assert page.heading == "Use another account?"
    grace.answer(page, "switch")
    assert grace.user_id == mine
    assert grace.link("github", "grace").message.startswith("GitHub connected.")


def test_reauthentication_binds_the_session_to_this_browser(grace, other):
    plant(other, grace.cookie("session"))
    page = other.post("/account/sessions/end-others")
    assert page.heading == "Confirm it's you"
    assert other.reauth(page, "grace").path == "/account"
    assert other.post("/account/sessions/end-others").path == "/account/sessions"


def test_a_reopened_browser_keeps_its_session(grace):
    grace.http.cookies.clear_session_cookies()
    assert grace.post("/account/sessions/end-others").path == "/account/sessions"
    grace.link("github", "grace")  # replaces the session token
    grace.http.cookies.clear_session_cookies()
    assert grace.unlink(grace.identity("github")).message == "GitHub removed."


@pytest.mark.parametrize("first", ["mine", "theirs"])
def test_two_session_cookies_count_as_none(capfd, make_site, first):
    """The server cannot tell which of them it has set."""
    site = make_site()
    grace, other = site.browser(), site.browser()
    grace.sign_in("google", "grace")
    other.sign_in("github", "linus")
    mine, theirs = (f"session={each.cookie('session')}" for each in (grace, other))
    cookies = "; ".join((mine, theirs) if first == "mine" else (theirs, mine))
    capfd.readouterr()
    page = site.browser().fetch("/account", headers={"Cookie": cookies})
    assert page.location.startswith("/login")
    assert capfd.readouterr().err.count("session_cookie_ambiguous") == 1
