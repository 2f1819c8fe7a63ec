"""The operator's rules refuse a sign-in: allow-lists, closed sign-ups, disabled accounts."""

from dataclasses import replace

import pytest

from providers import PROVIDERS
from simulator.people import PEOPLE
from tests.browser import query_of
from tests.commands.doctor import lines
from tests.views.sign_in.failures import assert_designed


def test_a_list_of_domains_refuses_an_identity_without_an_address(make_site):
    site = make_site(ALLOWED_EMAIL_DOMAINS="navy.example")
    browser = site.browser()
    page = browser.sign_in("facebook", "noa")
    assert_designed(page, 403, "Facebook didn't share an email address")
    assert page.buttons[0] == "Try again with Facebook"
    again = browser.fetch(next(link for link in page.links() if "ask=email" in link))
    assert query_of(again.location)["auth_type"] == "rerequest"
    assert site.user_count() == 0


def test_a_list_of_domains_refuses_an_unverified_address(make_site):
    site = make_site(ALLOWED_EMAIL_DOMAINS="example.com")
    page = site.browser().sign_in("github", "uma")
    assert_designed(page, 403, "Your GitHub email isn't verified")
    assert site.user_count() == 0


def test_a_provider_that_never_verifies_addresses_offers_no_retry(make_site):
    site = make_site(ALLOWED_EMAIL_DOMAINS="navy.example")
    page = site.browser().sign_in("facebook", "grace")
    assert_designed(page, 403, "Facebook doesn't vouch for email addresses")
    assert "Try again" not in page.buttons


NEVER = ("amazon", "facebook", "figma", "naver", "notion", "salesforce", "spotify")


@pytest.mark.parametrize("provider", NEVER)
def test_nobody_is_told_to_verify_an_address_where_none_is_verified(make_site, provider):
    site = make_site(look_alikes=(provider,), ALLOWED_EMAIL_DOMAINS="navy.example")
    page = site.browser().sign_in(provider, "grace")
    label = PROVIDERS[provider].label
    assert_designed(page, 403, f"{label} doesn't vouch for email addresses")
    assert "Verify it" not in page.text
    assert "Try again" not in page.buttons


@pytest.mark.parametrize("provider", ["microsoft", "yandex", "gitlab", "acme"])
def test_nobody_is_told_to_verify_an_address_that_would_still_not_count(make_site, provider):
    """Another domain than Yandex's, a tenant's address, one of a server that is not believed."""
    site = make_site(look_alikes=(provider,), ALLOWED_EMAIL_DOMAINS="chemistry.example")
    page = site.browser().sign_in(provider, "linus")
    assert page.alert.endswith("email isn't enough here")
    assert "Verify it" not in page.text


def test_a_provider_that_says_never_verifies_nobody():
    for provider in PROVIDERS.values():
        assert (provider.email.level == "never") == provider.email.when.startswith("never")


def test_an_address_of_an_unlisted_domain_is_refused(make_site):
    site = make_site(ALLOWED_EMAIL_DOMAINS="navy.example", SUPPORT_URL="mailto:help@navy.example")
    page = site.browser().sign_in("google", "ada")
    assert_designed(page, 403, "This account can't sign in here")
    assert "ada@gmail.com isn't on the list for this site. Ask support" in page.text
    assert site.user_count() == 0
    assert site.browser().sign_in("google", "grace").path == "/account"


def test_an_allow_list_set_later_applies_to_existing_users(make_site):
    """Fail closed."""
    site = make_site()
    browser = site.browser()
    browser.sign_in("google", "ada")
    browser.sign_out()
    site.restart(ALLOWED_EMAIL_DOMAINS="navy.example")
    assert_designed(browser.sign_in("google", "ada"), 403, "This account can't sign in here")


def test_an_address_that_left_the_allow_list_is_refused_at_the_next_sign_in(make_site, monkeypatch):
    """The provider's statement now counts, not an earlier one."""
    site = make_site(ALLOWED_EMAIL_DOMAINS="navy.example")
    browser = site.browser()
    browser.sign_in("github", "grace")
    browser.sign_out()
    moved = replace(PEOPLE["grace"], email="grace@elsewhere.example")
    monkeypatch.setitem(PEOPLE, "grace", moved)
    for _ in range(2):
        assert_designed(browser.sign_in("github", "grace"), 403, "This account can't sign in here")
    assert browser.me() is None


def test_an_identity_that_the_allow_list_refuses_does_not_count_as_a_way_in(make_site):
    site = make_site(ALLOWED_EMAIL_DOMAINS="navy.example")
    browser = site.browser()
    browser.sign_in("google", "grace")
    browser.link("github", "linus")
    assert browser.unlink(browser.identity("google")).alert == "This is your only way to sign in"
    assert browser.unlink(browser.identity("github")).message == "GitHub removed."
    browser.link("github", "grace")
    assert browser.unlink(browser.identity("google")).message.startswith("Google removed.")
    browser.sign_out()
    assert browser.sign_in("github", "grace").path == "/account"


def test_an_allowed_user_may_use_any_linked_identity(make_site):
    site = make_site(ALLOWED_EMAIL_DOMAINS="navy.example")
    browser = site.browser()
    browser.sign_in("google", "grace")
    browser.link("github", "noa")
    browser.sign_out()
    assert browser.sign_in("github", "noa").path == "/account"


def test_closed_sign_ups_create_no_account(make_site):
    site = make_site()
    browser = site.browser()
    browser.sign_in("google", "grace")
    browser.sign_out()
    site.restart(SIGNUPS="closed")
    assert_designed(browser.sign_in("github", "linus"), 403, "New accounts are closed")
    # Facebook verifies no address, so this user must not learn whether it has an account.
    assert_designed(browser.sign_in("facebook", "grace"), 403, "New accounts are closed")
    assert browser.sign_in("google", "grace").path == "/account"
    assert site.user_count() == 1


def test_a_disabled_account_is_signed_out_and_refused(browser, site):
    browser.sign_in("google", "ada")
    site.execute("UPDATE users SET disabled_at = '2026-01-01 00:00:00.000000'")
    assert browser.me() is None
    page = browser.sign_in("google", "ada")
    assert_designed(page, 403, "This account is disabled")
    assert "Continue with Google" not in page.buttons


# Providers that never verify an address.


def listed(site) -> list[str]:
    """The names in the JSON API's list."""
    answer = site.browser().fetch("/api/v1/providers").response.json()
    return [item["name"] for item in answer["items"]]


def test_a_list_of_domains_leaves_out_the_buttons_that_would_fail_after_the_whole_trip(make_site):
    site = make_site(ALLOWED_EMAIL_DOMAINS="navy.example")
    buttons = site.browser().get("/login").buttons
    assert "Continue with Google" in buttons
    assert "Continue with Facebook" not in buttons
    assert listed(site) == ["google", "github"]
    site.restart(ALLOWED_EMAIL_DOMAINS="")
    assert "Continue with Facebook" in site.browser().get("/login").buttons
    assert "facebook" in listed(site)


def test_a_known_person_keeps_the_button_of_a_provider_that_never_verifies(make_site):
    site = make_site(ALLOWED_EMAIL_DOMAINS="navy.example")
    browser = site.browser()
    browser.sign_in("google", "grace")
    browser.link("facebook", "grace")
    browser.sign_out()
    assert browser.sign_in("facebook", "grace").path == "/account"
    browser.sign_out()
    assert "Continue with Facebook" in browser.get("/login").buttons


def test_a_site_whose_providers_all_never_verify_still_shows_them(make_site):
    site = make_site(look_alikes=("facebook",), ALLOWED_EMAIL_DOMAINS="navy.example")
    assert "Continue with Facebook" in site.browser().get("/login").buttons


@pytest.mark.parametrize(
    ("provider", "settings", "is_warned"),
    [
        ("facebook", {}, True),
        ("acme", {}, True),
        ("acme", {"OIDC_ACME_TRUST_EMAIL": "1"}, False),
        ("gitlab", {}, True),  # self-hosted: an administrator may skip the confirmation
        ("google", {}, False),
    ],
)
def test_the_log_at_start_and_the_doctor_name_a_provider_that_never_verifies(
    capfd, make_site, provider, settings, is_warned
):
    site = make_site(look_alikes=(provider,), ALLOWED_EMAIL_DOMAINS="navy.example", **settings)
    assert ("provider_never_verifies_email" in capfd.readouterr().err) is is_warned
    found = lines(site, provider)
    assert ("so with ALLOWED_EMAIL_DOMAINS nobody new can come in with it" in found) is is_warned
    assert ("OIDC_ACME_TRUST_EMAIL=1" in found) is (is_warned and provider == "acme")
    site.restart(ALLOWED_EMAIL_DOMAINS="")
    assert "provider_never" not in capfd.readouterr().err
    assert "nobody new" not in lines(site, provider)
