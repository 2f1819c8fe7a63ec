"""Attempts of a neighbouring host, another site or a remote issuer; found by review."""

import pytest
import requests

from errors import ProviderError
from providers import PROVIDERS
from providers.parts import OpenIDConnect
from providers.protocols.upstream_issuer import UpstreamIssuer
from tests.views.account.test_reauthentication import plant


@pytest.mark.parametrize("origin", ["https://evil.example.org", "null", "http://localhost:1"])
def test_one_tap_posted_from_a_neighbouring_subdomain_signs_nobody_in(browser, site, origin):
    """A neighbouring host can set the CSRF cookie for both hosts, and send the form."""
    browser.http.cookies.set("g_csrf_token", "evil", domain="localhost.local")
    form = {"credential": site.simulator.google.native_token("mallory"), "g_csrf_token": "evil"}
    page = browser.fetch("/login/google/one-tap", "POST", data=form, headers={"Origin": origin})
    assert (page.status, page.alert) == (403, "That came from another site")
    assert browser.me() is None


def test_one_tap_may_be_posted_by_our_pages_and_by_the_provider(browser, site):
    browser.http.cookies.set("g_csrf_token", "x", domain="localhost.local")
    form = {"credential": site.simulator.google.native_token("grace"), "g_csrf_token": "x"}
    for origin in (site.url, site.simulator.url):
        headers = {"Origin": origin}
        page = browser.fetch("/login/google/one-tap", "POST", data=form, headers=headers)
        assert page.status == 303


def test_posts_of_another_site_to_the_app_endpoint_lock_nobody_out(browser, site):
    headers = {"Content-Type": "text/plain", "Origin": "https://evil.example"}
    for _ in range(130):
        answer = requests.post(f"{site.url}/auth/sign-in", data="x", headers=headers, timeout=5)
        assert answer.status_code == 403
    assert browser.sign_in("google", "grace").path == "/account"


def test_a_cookie_of_another_flask_login_application_is_ignored(browser, site):
    browser.sign_in("google", "grace")
    browser.http.cookies.set("remember_token", "x", domain="localhost.local")
    assert browser.me() is not None
    bearer = {"Authorization": f"Bearer {site.simulator.firebase.mint('grace')}"}
    cookie = {"Cookie": "remember_token=x"}
    answer = requests.get(f"{site.url}/api/v1/me", headers=bearer | cookie, timeout=5)
    assert answer.status_code == 200


def test_an_allow_list_set_later_applies_to_bearer_tokens(browser, site):
    token = site.simulator.firebase.mint("grace")
    assert browser.bring(token).status == 200
    site.restart(ALLOWED_EMAIL_DOMAINS="corp.example")
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.get(f"{site.url}/api/v1/me", headers=headers, timeout=5)
    assert answer.status_code == 403
    assert answer.json()["code"] == "not_allowed"


def test_an_address_that_google_no_longer_states_is_not_trusted_from_firebase(make_site):
    site = make_site(ALLOWED_EMAIL_DOMAINS="navy.example")
    site.browser().sign_in("google", "grace")
    token = site.simulator.firebase.mint("grace")
    site.execute("UPDATE oauth SET email='grace@gmail.com', email_key='grace@gmail.com'")
    assert site.browser().bring(token).status == 403


def test_a_planted_session_cookie_cannot_rename_another_user(browser, other):
    other.sign_in("github", "mallory")
    browser.get("/login")
    plant(browser, other.cookie("session"))
    browser.post("/account/profile", browser.get("/account/profile"), name="Written elsewhere")
    assert other.me()["name"] == "Mallory"


ISSUER = "https://idp.example"
NAMES = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")


@pytest.mark.parametrize("name", [*NAMES, "revocation_endpoint"])
@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:6379/", "https://localhost/x", "http://[::1]:8080/admin"]
)
def test_a_remote_issuer_cannot_name_loopback_endpoints(name, url):
    """SSRF, Logto CVE-2026-56739; the client secret would be sent there unencrypted."""
    metadata = {"issuer": ISSUER, **{each: f"{ISSUER}/{each}" for each in NAMES}, name: url}
    with pytest.raises(ProviderError, match="on this machine"):
        UpstreamIssuer(ISSUER, lambda _url: metadata).metadata()


def test_the_organizations_tenant_refuses_personal_accounts():
    microsoft = PROVIDERS["microsoft"].protocol
    assert isinstance(microsoft, OpenIDConnect)
    any_tenant = microsoft.any_tenant
    base = "https://login.microsoftonline.com"
    personal = "9188040d-6c67-4c5b-b112-36a304b66dad"
    company = "5f0c1d2e-1111-4222-8333-abcdefabcdef"
    for name, lets_in in (("common", True), ("organizations", False)):
        issuer = UpstreamIssuer(f"{base}/{name}/v2.0", lambda _url: {}, any_tenant=any_tenant)
        assert issuer.accepts(f"{base}/{company}/v2.0", company)
        assert issuer.accepts(f"{base}/{personal}/v2.0", personal) is lets_in


def test_a_subject_made_of_two_claims_survives_a_profile_refresh(make_site):
    """Slack's subject is workspace and user; the stored token's response is matched by sub."""
    site = make_site(look_alikes=("slack",))
    browser = site.browser()
    browser.sign_in("slack", "grace")
    page = browser.post(f"/account/identities/{browser.identity('slack')}/refresh")
    assert page.message == "Read again from Slack."
