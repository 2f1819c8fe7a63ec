"""Apps: an ID token becomes a session of the same user as on the web."""

import time

import pytest

from providers import PROVIDERS
from providers.protocols.firebase import identity_issuers
from simulator.firebase import PROJECT_ID

FIREBASE_ISSUER = f"https://securetoken.google.com/{PROJECT_ID}"
WAYS = {"google.com": "google", "facebook.com": "facebook", "github.com": "github"}
WAYS |= {"twitter.com": "twitter"}
ALL = (*WAYS.values(), "firebase")


@pytest.fixture
def firebase(site):
    return site.simulator.firebase


def test_an_app_signs_in_and_keeps_a_session(browser, firebase):
    page = browser.bring(firebase.mint("grace"))
    assert (page.status, page.html) == (200, "OK")
    assert page.headers["Content-Type"].startswith("text/plain")
    assert page.headers["Cache-Control"] == "no-store"
    first = page.response.raw.headers.getlist("Set-Cookie")[0]
    assert first.startswith("session=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(first.split("; "))
    me = browser.me()
    assert (me["name"], me["email"], me["email_verified"]) == (
        "Grace Hopper",
        "grace@navy.example",
        True,
    )


def test_the_app_session_cookie_has_the_configured_name(make_site):
    site = make_site(SESSION_COOKIE_NAME="kept-by-the-app")
    browser = site.browser()
    browser.bring(site.simulator.firebase.mint("grace"))
    assert browser.cookie("kept-by-the-app")
    assert browser.me()


# One user.


@pytest.mark.parametrize("mode", ["ask", "auto", "separate"])
@pytest.mark.parametrize("first", ["web", "app"])
def test_the_same_identity_on_the_web_and_in_the_app_is_one_account(make_site, mode, first):
    site = make_site(look_alikes=ALL, ACCOUNT_LINKING=mode)
    for count, (way, provider) in enumerate(WAYS.items(), 1):
        person = ("ada", "grace", "linus", "leila")[count - 1]
        web, app = site.browser(), site.browser()
        steps = [
            lambda web=web, provider=provider, person=person: web.sign_in(provider, person),
            lambda app=app, way=way, person=person: app.bring(
                site.simulator.firebase.mint(person, way)
            ),
        ]
        for step in steps if first == "web" else reversed(steps):
            step()
        assert web.user_id == app.user_id
        assert web.user_id
        assert app.providers() == [provider]
        assert site.user_count() == count


def test_native_one_tap_firebase_and_web_are_one_account(site, firebase):
    google = site.simulator.google
    doors = [site.browser() for _ in range(4)]
    doors[0].bring(google.native_token("grace"))
    doors[1].bring(firebase.mint("grace"))
    doors[2].one_tap(google.native_token("grace"))
    doors[3].sign_in("google", "grace")
    assert len({door.user_id for door in doors}) == 1
    assert site.user_count() == 1


def test_an_identity_of_a_provider_that_is_not_configured_is_stored_under_its_own_issuer(make_site):
    off = {
        f"{name}_CLIENT_{part}": ""
        for name in ("GOOGLE", "GITHUB", "FACEBOOK", "TWITTER")
        for part in ("ID", "SECRET")
    }
    site = make_site(**off)
    for way, person in zip(WAYS, ("ada", "grace", "linus", "leila"), strict=True):
        site.browser().bring(site.simulator.firebase.mint(person, way))
    kept = {row.provider: row.issuer for row in site.rows("SELECT * FROM oauth")}
    assert kept == {
        "google": "https://accounts.google.com",
        "facebook": "https://graph.facebook.com",
        "github": "https://api.github.com",
        "twitter": "https://api.x.com",
    }
    browser = site.browser()
    browser.bring(site.simulator.firebase.mint("ada"))
    assert "Only in the mobile app." in browser.get("/account").text


def test_a_firebase_github_identity_is_not_one_of_github_enterprise():
    """Its user 42 is not github.com's (docs/decisions/0004)."""
    own = {"github": "https://github.corp.example", "google": "https://accounts.google.com"}
    found = identity_issuers(PROVIDERS, own)
    assert found["github"] == "https://api.github.com"
    assert found["google"] == "https://accounts.google.com"
    look_alike = {"github": "http://127.0.0.1:5001"}
    assert identity_issuers(PROVIDERS, look_alike)["github"] == "http://127.0.0.1:5001"


@pytest.mark.parametrize("way", ["password", "phone", "custom", "microsoft.com", "oidc.acme"])
def test_other_firebase_sign_ins_are_identified_by_the_firebase_id(site, browser, firebase, way):
    token = firebase.mint("grace", way)
    assert browser.bring(token).status == 200
    (row,) = site.rows("SELECT provider, issuer, subject FROM oauth")
    subject = firebase.claims_of(token)["sub"]
    assert tuple(row) == ("firebase", FIREBASE_ISSUER, subject)
    again = site.browser()
    again.bring(firebase.mint("grace", way))
    assert again.user_id == browser.user_id


# Addresses.


@pytest.mark.parametrize(
    ("way", "believed"),
    [
        *(("google.com", True), ("apple.com", True), ("password", True)),
        *(("facebook.com", False), ("github.com", False), ("twitter.com", False)),
        *(("microsoft.com", False), ("custom", False), ("oidc.acme", False), ("phone", False)),
    ],
)
def test_a_firebase_address_is_verified_where_firebase_verified_it(
    browser, firebase, way, believed
):
    """Facebook's addresses never count, whatever the flag (docs/understand/security.md)."""
    email = {"email": "grace@navy.example", "email_verified": True}
    assert browser.bring(firebase.mint("grace", way, **email)).status == 200
    assert browser.me()["email_verified"] is believed


@pytest.mark.parametrize("flag", [False, None, "false", 1, "yes"])
def test_a_firebase_password_user_is_verified_after_confirming_the_mail(browser, firebase, flag):
    browser.bring(firebase.mint("grace", "password", email_verified=flag))
    assert browser.me()["email_verified"] is False


def test_firebase_claims_do_not_update_a_known_identity(site, browser, firebase):
    """GitHub verified the address on the web; Firebase knows no better."""
    browser.sign_in("github", "grace")
    token = firebase.mint("grace", "github.com", email="other@navy.example", name="Other")
    app = site.browser()
    assert app.bring(token).status == 200
    assert app.user_id == browser.user_id
    (identity,) = app.me()["identities"]
    assert (identity["email"], identity["email_verified"]) == ("grace@navy.example", True)
    page = browser.get("/account").text
    assert "other@navy.example" not in page


def test_an_app_sign_in_keeps_the_stored_provider_token(site, browser):
    browser.sign_in("google", "grace")
    before = site.rows("SELECT token, scopes FROM oauth")
    assert before[0].token
    assert browser.bring(site.simulator.google.native_token("grace")).status == 200
    assert browser.bring(site.simulator.firebase.mint("grace")).status == 200
    assert site.rows("SELECT token, scopes FROM oauth") == before


# Sessions.


def test_an_app_sign_in_replaces_the_session_of_the_same_user(site, browser, firebase):
    browser.bring(firebase.mint("grace"))
    old = browser.cookie("session")
    assert browser.bring(firebase.mint("grace")).status == 200
    assert browser.cookie("session") != old
    assert site.rows("SELECT count(*) FROM sessions")[0][0] == 1
    stale = site.browser()
    assert stale.fetch("/api/v1/me", headers={"Cookie": f"session={old}"}).status == 401


def test_the_auth_time_of_an_app_session_is_that_of_its_token(site, browser, firebase):
    """The app refreshes its tokens for months, which does not show who holds the phone now."""
    browser.sign_in("google", "grace")
    browser.link("github", "grace")
    act = f"/account/unlink/{browser.identity('github')}"
    long_ago = int(time.time()) - 3600
    browser.bring(firebase.mint("grace", auth_time=long_ago))
    assert browser.get(act).path == "/account/reauth"
    browser.bring(firebase.mint("grace"))
    assert browser.get(act).path == act


# The account page.


def test_an_app_identity_is_named_on_the_account_page_without_a_button(browser, firebase):
    browser.bring(firebase.mint("grace", "password"))
    page = browser.get("/account")
    assert "Mobile app" in page.text
    assert not any("Mobile app" in button for button in page.buttons)
    assert "Account created with Mobile app" in page.text
    assert browser.get("/login?switch=1").text.count("Mobile app") == 0
    assert browser.fetch("/login/firebase").status == 404
    assert browser.fetch("/account/link/firebase", "POST").status in (400, 404)


def test_an_app_identity_counts_as_a_way_in_while_firebase_is_configured(site, browser, firebase):
    browser.bring(firebase.mint("grace", "password"))
    page = browser.get("/account")
    assert "This is your only way to sign in." in page.text
    browser.link("google", "grace")
    assert "This is your only way to sign in." not in browser.get("/account").text
    site.restart(FIREBASE_PROJECT_ID="", FIREBASE_JWKS_URL="")
    page = browser.get("/account")
    assert "Not available on this site any more." in page.text
    answer = browser.unlink(browser.identity("google"))
    assert browser.providers() == ["firebase", "google"], answer


def test_an_app_only_user_is_told_to_sign_in_again_in_the_app(site, browser, firebase):
    browser.bring(firebase.mint("grace", "password", auth_time=int(time.time()) - 3600))
    page = browser.get("/account/reauth?next=/account")
    assert "Sign in again in the app." in page.text
    assert page.actions() == []


def test_an_app_account_does_not_lock_its_owner_out_of_the_web(site, browser, firebase):
    """No page can verify its ownership, so a separate account is offered."""
    site.browser().bring(firebase.mint("grace", "password", email_verified=True))
    page = browser.sign_in("google", "grace")
    assert page.path == "/login/confirm"
    assert "Mobile app, which can't be proved on this page" in page.text
    browser.answer(page, "create")
    assert browser.providers() == ["google"]
    assert site.user_count() == 2


def test_an_app_only_user_can_open_every_account_page(browser, firebase):
    browser.bring(firebase.mint("grace", "password"))
    identity = browser.identity("firebase")
    for path in (f"identities/{identity}", "profile", "data", "delete", "reauth", "activity"):
        assert browser.get(f"/account/{path}").status == 200
    assert browser.get("/account").status == 200
    assert browser.post(f"/account/identities/{identity}/refresh").status in (200, 404)


def test_a_user_who_cannot_reauthenticate_on_the_web_is_told_so(browser, firebase, site):
    browser.bring(firebase.mint("grace", "password"))
    site.execute("UPDATE sessions SET authenticated_at = '2020-01-01'")
    page = browser.get("/account/delete")
    assert page.heading == "Confirm it's you"
    assert "Change your account in the app." in page.text
    assert "Sign in again to continue." not in page.text
