"""Google's One Tap, and native tokens of Google and others."""

import time
from typing import Any

import pytest

from errors import IdTokenRefused, NotAllowed
from providers import PROVIDERS
from providers.base import Get, Profile, Provider
from providers.parts import EmailTrust, OpenIDConnect
from providers.profile import claims_with_userinfo, profile_from
from providers.protocols.firebase import Firebase
from providers.protocols.native import NativeTokens
from simulator.firebase import PROJECT_ID
from simulator.firebase import Firebase as LookAlike
from tests.browser import query_of
from tests.providers.protocols.id_tokens import good_claims, issuer_with, key, public, sign

ANDROID = "android.apps.googleusercontent.com"
IOS = "ios.apps.googleusercontent.com"


@pytest.fixture
def google(site):
    return site.simulator.google


# One Tap.


def test_one_tap_signs_in(browser, google):
    page = browser.one_tap(google.native_token("grace"))
    assert (page.status, page.path) == (200, "/account")
    assert browser.me()["name"] == "Grace Hopper"


def test_one_tap_redirects_to_the_requested_page(browser, google):
    browser.http.cookies.set("g_csrf_token", "x", domain="localhost.local")
    form = {"credential": google.native_token("grace"), "g_csrf_token": "x"}
    page = browser.fetch("/login/google/one-tap?next=/account/activity", "POST", data=form)
    assert (page.status, page.location) == (303, "/account/activity")
    evil = {**form, "next": "https://evil.example/"}
    page = browser.fetch("/login/google/one-tap", "POST", data=evil)
    assert (page.status, page.location) == (303, "/account")


@pytest.mark.parametrize(
    ("cookie", "field"),
    [("", "doubled"), ("doubled", ""), ("doubled", "other"), ("", ""), ("doubled", "doubled ")],
)
def test_one_tap_without_the_matching_csrf_cookie_is_refused(browser, google, cookie, field):
    """Login CSRF: another site's page can send the form, but cannot set the cookie."""
    page = browser.one_tap(google.native_token("grace"), cookie, g_csrf_token=field)
    assert (page.status, page.alert) == (400, "That page was out of date")
    assert browser.me() is None


@pytest.mark.parametrize("flaw", ["expired", "other_audience", "other_key_same_kid", "missing"])
def test_a_bad_one_tap_credential_shows_the_reason_on_the_sign_in_page(browser, google, flaw):
    page = browser.one_tap(google.native_token("grace", flaw=flaw))
    assert (page.status, page.alert) == (401, "This sign-in has expired")
    assert "Continue with Google" in page.buttons
    assert browser.me() is None


def test_one_tap_accepts_tokens_for_the_web_client_only(make_site):
    site = make_site(GOOGLE_MOBILE_CLIENT_IDS=ANDROID)
    browser, google = site.browser(), site.simulator.google
    page = browser.one_tap(google.native_token("grace", audience=ANDROID))
    assert page.status == 401
    assert browser.me() is None


def test_a_question_after_one_tap_is_asked_on_the_confirm_page(site, browser, google):
    browser.sign_in("github", "grace")
    browser.sign_out()
    page = browser.one_tap(google.native_token("grace"))
    assert page.heading == "You already have an account"
    link = next(link for link in page.links() if link.startswith("/login/github"))
    page = browser.get(browser.choose(browser.fetch(link).location, "grace"))
    browser.answer(page, "connect")
    assert browser.providers() == ["github", "google"]
    assert site.user_count() == 1


def test_one_tap_as_another_user_asks_first(browser, google):
    browser.sign_in("google", "ada")
    page = browser.one_tap(google.native_token("grace"))
    assert page.heading == "Use another account?"
    browser.answer(page, "switch")
    assert browser.me()["name"] == "Grace Hopper"


def test_providers_without_one_tap_have_no_route_for_it(browser, google):
    form = {"credential": google.native_token("grace"), "g_csrf_token": "x"}
    for name in ("github", "facebook", "firebase", "confirm"):
        assert browser.fetch(f"/login/{name}/one-tap", "POST", data=form).status == 404
    assert browser.fetch("/login/google/one-tap").status == 405


# Its nonce.


def nonce_of(browser) -> str:
    page = browser.fetch("/login/google/one-tap/nonce", headers={"Sec-Fetch-Site": "same-origin"})
    assert page.status == 200
    assert page.headers["Cache-Control"] == "no-store"
    return str(page.response.json()["nonce"])


def test_one_tap_with_the_nonce_of_this_browser_signs_in_once(browser, google):
    token = google.native_token("grace", nonce=nonce_of(browser))
    assert browser.one_tap(token).path == "/account"
    browser.sign_out()
    assert browser.one_tap(token).alert == "We couldn't match that sign-in"
    assert browser.me() is None


def test_the_nonce_of_another_browser_or_an_invented_one_is_refused(browser, other, google):
    """A stolen ID token is of no use in another browser."""
    for nonce in (nonce_of(other), "invented", "", 7, ["x"]):
        page = browser.one_tap(google.native_token("grace", nonce=nonce))
        assert page.status in (400, 401)
        assert browser.me() is None
    nonce_of(browser)
    page = browser.one_tap(google.native_token("grace", nonce=nonce_of(other)))
    assert page.alert == "We couldn't match that sign-in"


def test_a_browser_that_fetched_a_nonce_accepts_no_token_without_one(browser, google):
    nonce_of(browser)
    assert browser.one_tap(google.native_token("grace")).status == 401
    assert browser.me() is None


def test_an_old_nonce_is_refused(site, browser, google):
    token = google.native_token("grace", nonce=nonce_of(browser))
    site.execute("UPDATE flows SET expires_at = '2026-01-01 00:00:00.000000'")
    assert browser.one_tap(token).alert == "That sign-in took too long"


def test_a_nonce_is_no_state_and_a_state_is_no_nonce(browser, google):
    state = query_of(browser.begin("google"))["state"]
    assert browser.one_tap(google.native_token("grace", nonce=state)).status == 401
    nonce = nonce_of(browser)
    page = browser.get(f"/login/google/authorized?code=x&state={nonce}")
    assert page.alert == "We couldn't match that sign-in"
    assert browser.me() is None


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Sec-Purpose": "prefetch"},
    ],
)
def test_no_other_site_can_fetch_a_nonce(site, browser, headers):
    page = browser.fetch("/login/google/one-tap/nonce", headers=headers)
    assert page.status in (400, 403)
    assert site.rows("SELECT count(*) FROM flows")[0][0] == 0


def test_providers_without_one_tap_have_no_nonce(browser):
    assert browser.fetch("/login/github/one-tap/nonce").status == 404


# Native tokens.


def test_native_tokens_are_accepted_for_the_configured_apps_only(make_site):
    """Android: its client in azp, the server's in aud. iOS: its own in both."""
    site = make_site(GOOGLE_MOBILE_CLIENT_IDS=f"{IOS}, {ANDROID}")
    google = site.simulator.google
    for token in (
        google.native_token("grace", azp=ANDROID),
        google.native_token("grace", azp="whatever-signs-the-app"),
        google.native_token("grace", audience=IOS),
        google.native_token("grace", audience=ANDROID),
        google.native_token("grace", nonce="of-the-app"),
    ):
        assert site.browser().bring(token).status == 200
    for audience in ("other.apps.googleusercontent.com", f"{IOS},{ANDROID}", IOS.upper(), " "):
        assert site.browser().bring(google.native_token("grace", audience=audience)).status == 401
    listed = google.native_token("grace", aud=[google.client.client_id, IOS])
    assert site.browser().bring(listed).status == 401


def test_without_configured_apps_native_tokens_are_for_the_web_client(site, google):
    assert site.browser().bring(google.native_token("grace", azp=ANDROID)).status == 200
    assert site.browser().bring(google.native_token("grace", audience=IOS)).status == 401


def test_a_native_google_token_joins_accounts_as_on_the_web(make_site):
    site = make_site(ACCOUNT_LINKING="auto")
    web, app = site.browser(), site.browser()
    web.sign_in("google", "ada")
    web.sign_in("github", "ada")
    assert app.bring(site.simulator.google.native_token("ada")).status == 200
    assert app.user_id == web.user_id


# Any OpenID Connect provider, such as Apple, whose audience is the bundle id.

BUNDLE, SERVICE = "org.example.app", "org.example.web"


def apple_profile(get: Get) -> Profile:
    assert get("form_user") == {}, "what a web callback would bring is not there, and no fault"
    return profile_from(claims_with_userinfo(get, needs=("name",)))


APPLE = Provider(
    name="apple",
    label="Apple",
    console="https://developer.example",
    protocol=OpenIDConnect(scope="openid name email", issuer="https://issuer.example"),
    profile=apple_profile,
    email=EmailTrust("verified", "when `email_verified`"),
)


def verify(hosted_domain: str | None = None, **changes: Any) -> Any:
    now = int(time.time())
    claims = good_claims(aud=BUNDLE, exp=now + 86400, nonce="sha256", email_verified="true")
    tokens = NativeTokens(APPLE, issuer_with(public(key("RSA"))), [SERVICE, BUNDLE], hosted_domain)
    return tokens.verify(sign({**claims, "email": "x@privaterelay.example", **changes}))


def test_a_native_token_of_any_provider_becomes_its_web_identity():
    assertion = verify()
    assert (assertion.provider, assertion.issuer, assertion.profile.subject) == (
        "apple",
        "https://issuer.example",
        "1",
    )
    assert assertion.profile.email_verified
    assert not assertion.is_relayed
    assert assertion.token == {}
    assert verify(aud=SERVICE).profile == assertion.profile


def test_a_hosted_domain_restriction_applies_to_native_tokens():
    """NAME_HOSTED_DOMAIN applies wherever a user can sign in."""
    assert verify("navy.example", hd="navy.example").profile.subject == "1"
    for hd in ("chemistry.example", None, ["navy.example"]):
        with pytest.raises(NotAllowed):
            verify("navy.example", hd=hd)


def test_a_hosted_domain_restriction_refuses_firebase_tokens():
    look_alike = LookAlike()
    issuers = {"google": "https://accounts.google.com", "github": "https://api.github.com"}
    project = Firebase(
        PROJECT_ID,
        lambda _url: (look_alike.jwk_set(), None),
        identity_issuers=issuers,
        closed=["google"],
    )
    with pytest.raises(NotAllowed):
        project.verify(look_alike.mint("grace"))
    assert project.verify(look_alike.mint("grace", "github.com")).provider == "github"


@pytest.mark.parametrize("auth_time", [5, 0, -(10**400), 10**400, "1", True, None])
def test_the_auth_time_is_never_later_than_the_token(auth_time):
    assertion = verify(auth_time=auth_time)
    if auth_time in ("1", None) or auth_time is True:
        assert assertion.auth_time is None
    else:
        assert 0 <= assertion.auth_time <= time.time()


@pytest.mark.parametrize(
    "changes",
    [
        *({"aud": "other"}, {"aud": [BUNDLE]}, {"aud": None}, {"iss": "https://evil.example"}),
        *({"sub": "9" * 256}, {"sub": "a\0"}, {"sub": 1}, {"iat": 4000}),
        *({"exp": 1}, {"iat": float("nan")}, {"iat": True}, {"sub": "\u2800"}, {"nbf": 1e12}),
    ],
    ids=str,
)
def test_odd_claims_of_a_native_token_are_refused(changes):
    with pytest.raises(IdTokenRefused):
        verify(**changes)


def test_mobile_client_ids_can_be_configured(make_site):
    assert getattr(PROVIDERS["google"].protocol, "native_tokens", False)
    client = make_site(GOOGLE_MOBILE_CLIENT_IDS=f" {IOS} ,{ANDROID},").app.extensions["quickstep"]
    assert client.settings.registrations["google"].mobile_client_ids == (IOS, ANDROID)
