"""A provider's passing failure changes nothing that is stored, and adds nobody half known."""

from typing import Any

import pytest

from tests.browser import Browser
from tests.site import Site, Sites

# Behaviours of the secondary request, by kind: GitHub's addresses, an issuer's userinfo.
PASSING = ("rate_limited", "try_later", "status_429", "status_500", "status_503", "hang_up")
UNREADABLE = ("html", "broken_json", "firewall")
PLACES = {"github": "emails", "bitbucket": "emails", "acme": "profile", "gitlab": "profile"}


@pytest.fixture
def site(make_site: Sites) -> Site:
    site = make_site(
        look_alikes=("google", "github", "bitbucket", "acme", "gitlab"), OIDC_ACME_TRUST_EMAIL="1"
    )
    # Their id_tokens name the subject alone.
    site.simulator.acme.tells_in_id_token = site.simulator.gitlab.tells_in_id_token = False
    return site


def known(site: Site) -> list[Any]:
    """What a passing failure must not change."""
    identities = site.rows(
        "SELECT id, subject, email, email_verified, email_trusted, profile, read_at FROM oauth"
    )
    return [identities, site.rows("SELECT id, name, picture FROM users")]


@pytest.mark.parametrize("how", PASSING + UNREADABLE)
@pytest.mark.parametrize("provider", PLACES)
def test_a_known_person_signs_in_and_keeps_address_and_profile(site, provider, how):
    browser = site.browser()
    browser.sign_in(provider, "ada")
    assert site.rows("SELECT email FROM oauth") == [("ada@gmail.com",)]
    before = known(site)
    behave = f"{PLACES[provider]}:{how}"
    assert site.browser().sign_in(provider, "ada", behave=behave).path == "/account"
    assert known(site) == before
    assert site.rows("SELECT kind FROM events WHERE kind = 'email_changed'") == []


@pytest.mark.parametrize("how", PASSING + UNREADABLE)
@pytest.mark.parametrize("provider", PLACES)
def test_an_unknown_person_is_refused_and_may_try_again(site, caplog, provider, how):
    """Otherwise a second account comes, past the question about the first."""
    site.browser().sign_in("github" if provider != "github" else "google", "ada")
    browser = site.browser()
    page = browser.sign_in(provider, "ada", behave=f"{PLACES[provider]}:{how}")
    assert page.status == 502
    title = "isn't answering" if how in PASSING else "couldn't complete the sign-in"
    assert title in page.alert
    assert any("Try again" in button for button in page.buttons)
    assert site.user_count() == 1
    assert "profile_incomplete" in caplog.text
    assert browser.sign_in(provider, "ada").path == "/login/confirm"


@pytest.mark.parametrize("provider", PLACES)
def test_an_unknown_identity_is_not_linked_half_known(site, provider):
    browser = site.browser()
    browser.sign_in("github" if provider != "github" else "google", "grace")
    page = browser.link(provider, "ada", behave=f"{PLACES[provider]}:status_503")
    assert page.status == 502
    assert len(browser.providers()) == 1
    browser.link(provider, "ada")
    assert len(browser.providers()) == 2


@pytest.mark.parametrize("behave", ["emails:scope_lacks", "emails:missing"])
def test_a_missing_scope_signs_in_without_an_address(site, caplog, behave):
    caplog.set_level("INFO")
    page = site.browser().sign_in("github", "ada", behave=behave)
    assert page.path == "/account"
    assert site.rows("SELECT email FROM oauth") == [(None,)]
    assert "profile_not_shared" in caplog.text


def test_a_userinfo_that_needs_another_scope_signs_in_without_an_address(site):
    page = site.browser().sign_in("acme", "ada", behave="profile:scope_lacks")
    assert page.path == "/account"
    assert site.rows("SELECT email FROM oauth") == [(None,)]


@pytest.mark.parametrize("behave", ["userinfo:other_sub", "userinfo:jwt"])
def test_a_userinfo_that_cannot_be_used_is_no_reason_for_a_nameless_account(site, behave):
    browser = site.browser()
    assert browser.sign_in("acme", "ada", behave=behave).status == 502
    assert site.user_count() == 0
    browser.sign_in("acme", "ada")
    before = known(site)
    assert site.browser().sign_in("acme", "ada", behave=behave).path == "/account"
    assert known(site) == before


@pytest.mark.parametrize("how", ["rate_limited", "status_429", "status_503", "hang_up"])
@pytest.mark.parametrize("place", ["token", "profile"])
@pytest.mark.parametrize("provider", ["github", "bitbucket"])
def test_a_provider_that_cannot_now_is_said_to_be_away(site, provider, place, how):
    page = site.browser().sign_in(provider, "ada", behave=f"{place}:{how}")
    assert (page.status, page.alert.partition(" ")[2]) == (502, "isn't answering")
    assert site.user_count() == 0


def test_a_switch_of_accounts_keeps_what_the_failure_hid(site):
    """The assertion waits for an answer as a row."""
    site.browser().sign_in("github", "ada")
    before = known(site)[0]
    other: Browser = site.browser()
    other.sign_in("google", "grace")
    page = other.sign_in("github", "ada", behave="emails:status_503")
    assert page.path == "/login/confirm"
    other.answer(page, "switch")
    rows = site.rows("SELECT email, email_verified FROM oauth WHERE provider = 'github'")
    assert rows == [("ada@gmail.com", 1)]
    assert before[0] in known(site)[0]
