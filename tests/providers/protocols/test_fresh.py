"""Reauthentication is a sign-in of the last minutes, whatever the browser requested."""

import time
from urllib.parse import urlencode, urlsplit

import pytest

from errors import NotFresh
from providers.protocols.id_token import FRESH_SECONDS, check_fresh
from simulator.signing import SPOILT_PROOFS
from tests.browser import Browser, Page, query_of
from tests.site import ALL, Site, Sites

LONG_AGO = "2001-01-01 00:00:00"
TITLE = "{} didn't ask you to sign in again"
# Providers that can be asked for a fresh sign-in, and return auth_time.
ASKED = {"microsoft": {"prompt": "login"}, "gitlab": {"prompt": "login"}}
ASKED |= {"salesforce": {"prompt": "login"}, "acme": {"max_age": "0"}}


@pytest.fixture
def site(make_site: Sites) -> Site:
    return make_site(look_alikes=(*ALL, "acme"))


def begin_proof(site: Site, provider: str) -> tuple[Browser, str]:
    """A browser that signed in long ago, and the URL at which it must reauthenticate."""
    browser = site.browser()
    browser.sign_in(provider, "linus")
    site.execute("UPDATE sessions SET authenticated_at = :at", at=LONG_AGO)
    page = browser.get("/account/reauth")
    form = {"csrf_token": page.csrf_token, "next": "/account/sessions"}
    return browser, browser.fetch(page.actions()[0], "POST", data=form).onward


def end_proof(browser: Browser, url: str, behave: str = "") -> Page:
    return browser.get(browser.choose(url, "linus", behave))


def without(url: str, *names: str) -> str:
    """The URL without these parameters, which a user can remove."""
    query = {name: value for name, value in query_of(url).items() if name not in names}
    return urlsplit(url)._replace(query=urlencode(query)).geturl()


def assert_not_proved(page: Page, label: str) -> None:
    assert page.status == 403, page
    assert page.alert == TITLE.format(label)
    assert "Nothing was changed." in page.text


@pytest.mark.parametrize("provider", ASKED)
def test_a_fresh_sign_in_counts_as_reauthentication(site, provider):
    browser, url = begin_proof(site, provider)
    assert ASKED[provider].items() <= query_of(url).items()
    assert end_proof(browser, url).path == "/account/sessions"
    assert browser.get("/account/reauth?next=/account/sessions").path == "/account/sessions"


@pytest.mark.parametrize("provider", ["gitlab", "salesforce", "acme"])
def test_removing_prompt_and_max_age_from_the_url_does_not_reauthenticate(site, provider):
    """Somebody at an unattended browser, whose owner is still signed in at the provider."""
    browser, url = begin_proof(site, provider)
    label = site.app.extensions["quickstep"].label(provider)
    assert_not_proved(end_proof(browser, without(url, "prompt", "max_age")), label)
    assert browser.get("/account/reauth").heading == "Confirm it's you"
    activity = browser.get("/account/activity").text
    blocked = f"Confirming it's you with {label} blocked: {TITLE.format(label)}"
    assert blocked in activity


@pytest.mark.parametrize("flaw", SPOILT_PROOFS)
def test_after_max_age_a_valid_auth_time_is_required(site, flaw):
    """OpenID Connect Core 3.1.2.1 and 2 require it then."""
    browser, url = begin_proof(site, "acme")
    assert_not_proved(end_proof(browser, url, f"id_token:{flaw}"), "Acme")


@pytest.mark.parametrize("flaw", sorted(set(SPOILT_PROOFS) - {"no_auth_time"}))
def test_an_unrequested_auth_time_must_be_valid_too(site, flaw):
    browser, url = begin_proof(site, "gitlab")
    assert_not_proved(end_proof(browser, url, f"id_token:{flaw}"), "GitLab")


@pytest.mark.parametrize("provider", ["google", "microsoft", "slack"])
def test_a_provider_without_auth_time_is_accepted_for_reauthentication(site, provider):
    browser, url = begin_proof(site, provider)
    assert end_proof(browser, url).path == "/account/sessions"


def test_a_plain_sign_in_needs_no_fresh_auth_time(site):
    """A user who is signed in at the provider need not sign in there again."""
    assert site.browser().sign_in("gitlab", "linus").path == "/account"
    assert site.browser().sign_in("acme", "grace").path == "/account"


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("seconds", [0, -FRESH_SECONDS + 5, 30])
def test_an_auth_time_of_the_last_minutes_is_fresh(seconds, required):
    check_fresh({"auth_time": time.time() + seconds}, required=required)
    check_fresh({"auth_time": int(time.time() + seconds)}, required=required)


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize(
    "odd",
    [None, True, "1", [], {}, float("nan"), float("inf"), float("-inf"), 0, -1, 10**400],
    ids=lambda value: str(value)[:9],
)
def test_an_old_future_or_malformed_auth_time_is_not_fresh(odd, required):
    for value in (odd, time.time() - FRESH_SECONDS - 1, time.time() + 120):
        with pytest.raises(NotFresh):
            check_fresh({"auth_time": value}, required=required)


def test_a_missing_auth_time_is_refused_only_if_it_was_requested():
    check_fresh({}, required=False)
    with pytest.raises(NotFresh):
        check_fresh({}, required=True)
