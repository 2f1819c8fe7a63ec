"""Apple sends a person's name once, and the sign-in that brings it may fail."""

import time

import pytest
import time_machine

from tests.browser import Browser
from tests.site import Site, Sites


@pytest.fixture
def site(make_site: Sites) -> Site:
    return make_site(look_alikes=("apple", "google"))


def name_of(browser: Browser) -> str | None:
    me = browser.me()
    assert me
    return me["name"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "behave", ["token:hang_up", "token:status_503", "token:html", "id_token:expired"]
)
def test_apples_name_survives_a_sign_in_that_failed(browser, site, behave):
    assert browser.sign_in("apple", "ada", behave=behave).status == 502
    assert site.user_count() == 0
    assert browser.sign_in("apple", "ada").path == "/account"
    assert name_of(browser) == "Ada Lovelace"


def test_apples_name_is_kept_sealed_in_its_browser_and_for_a_day(browser, other):
    browser.sign_in("apple", "ada", behave="token:hang_up")
    (kept,) = [cookie for cookie in browser.http.cookies if cookie.name == "kept_apple"]
    assert "Lovelace" not in str(kept.value)
    assert kept.expires is not None
    assert kept.expires - time.time() <= 24 * 3600
    other.sign_in("apple", "ada")
    assert name_of(other) is None


def test_apples_name_is_forgotten_after_a_day(browser):
    browser.sign_in("apple", "ada", behave="token:hang_up")
    (kept,) = [cookie for cookie in browser.http.cookies if cookie.name == "kept_apple"]
    kept.expires = None  # a browser with a wrong clock keeps it
    with time_machine.travel(time.time() + 24 * 3600 + 60):
        browser.sign_in("apple", "ada")
        assert name_of(browser) is None


def test_a_kept_name_is_never_given_to_another_person(browser, site):
    """Two people share a browser, and the second had given their name elsewhere."""
    site.simulator.apple.known.add("grace")
    browser.sign_in("apple", "ada", behave="token:hang_up")
    browser.sign_in("apple", "grace")
    assert name_of(browser) is None


@pytest.mark.parametrize("value", ["", "x", "1.x.y", "1..", "é"])
def test_a_made_up_kept_name_is_ignored(browser, value):
    browser.sign_in("apple", "ada", behave="token:hang_up")
    for cookie in browser.http.cookies:
        if cookie.name == "kept_apple":
            cookie.value = value.encode().decode("latin-1")
    assert browser.sign_in("apple", "ada").path == "/account"
    assert name_of(browser) is None
