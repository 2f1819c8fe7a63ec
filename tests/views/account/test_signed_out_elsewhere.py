"""A browser whose session was ended from elsewhere is told why, once, at its next page."""

from collections.abc import Callable

import pytest

import accounts
from accounts.activity import COMMAND_LINE
from tests.browser import Browser

HOW: dict[str, Callable[[Browser, Browser], object]] = {
    "from another device": lambda here, _: here.post("/account/sessions/end-others"),
    "no longer has the sign-in method": lambda here, _: here.unlink(here.identity("github")),
    "the account was deleted": lambda here, _: here.post("/account/delete", confirm="DELETE"),
    "by the person running this site": lambda _, other: other.site.inside(
        accounts.end_other_sessions, other.user_id, COMMAND_LINE
    ),
    "the account was disabled": lambda _, other: other.site.inside(
        accounts.disable, other.user_id, COMMAND_LINE
    ),
}


@pytest.mark.parametrize("why", list(HOW))
def test_a_browser_that_was_signed_out_from_elsewhere_is_told_why_once(site, why):
    here, other = site.browser(), site.browser()
    here.sign_in("google", "grace")
    here.link("github", "grace")
    other.sign_in("github", "grace")
    HOW[why](here, other)
    page = other.get("/account")
    assert page.path == "/login"
    assert page.message.startswith("You were signed out here")
    assert why in page.message
    assert other.cookie("session") is None
    assert not other.get("/account").message


def test_somebody_who_signed_out_is_not_told_that_somebody_else_did(site):
    browser = site.browser()
    browser.sign_in("google", "grace")
    token = browser.cookie("session")
    browser.sign_out()
    browser.http.cookies.set("session", token)
    assert not browser.get("/account").message


def test_a_form_of_a_session_that_was_ended_says_so(site):
    here, other = site.browser(), site.browser()
    here.sign_in("google", "grace")
    other.sign_in("google", "grace")
    url = other.choose(other.begin_link("github"), "grace")
    here.post("/account/sessions/end-others")
    page = other.get(url)
    assert page.alert == "You are signed out"
    assert "You were signed out here from another device." in page.text


def test_deleting_twice_says_that_the_account_is_deleted(site):
    browser = site.browser()
    browser.sign_in("google", "grace")
    page = browser.get("/account/delete")
    cookies = browser.http.cookies.copy()
    assert browser.post("/account/delete", page, confirm="DELETE").heading.startswith("Your acc")
    browser.http.cookies = cookies
    again = browser.post("/account/delete", page, confirm="DELETE")
    assert "the account was deleted" in again.text
