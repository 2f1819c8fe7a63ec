"""Attempts of a neighbouring host or of another site; found by review."""

import pytest
import requests

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
