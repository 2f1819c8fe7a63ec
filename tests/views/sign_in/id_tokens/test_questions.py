"""App sign-ins that need an answer first, or end in a refusal."""

from tests.browser import Browser, Page
from tests.views.sign_in.id_tokens.test_refusals import assert_problem
from tests.views.sign_in.test_confirm import prove


def test_a_known_address_sends_the_app_user_to_the_web(site, browser):
    browser.sign_in("github", "grace")
    browser.sign_out()
    app, google = site.browser(), site.simulator.google
    problem = assert_problem(app.bring(google.native_token("grace")), 409, "needs_proof")
    assert f"{site.url}/login" in problem["detail"]
    assert problem["may_create"] is False
    assert app.me() is None
    page = app.bring(google.native_token("grace"), "?separate=1")
    assert_problem(page, 409, "needs_proof")
    # As the message says: on the web, ownership is verified and the identity connected.
    page = prove(browser, browser.sign_in("google", "grace"), "github", "grace")
    browser.answer(page, "connect")
    assert app.bring(google.native_token("grace")).status == 200
    assert app.user_id == browser.user_id


def test_an_unverified_address_is_answered_alike_in_the_app_known_or_not(site, browser):
    browser.sign_in("google", "ada")
    app = site.browser()
    page = app.bring(site.simulator.firebase.mint("mallory", "password"))
    assert (page.status, page.html) == (200, "OK")
    assert app.user_id != browser.user_id
    assert app.me()["email_verified"] is False


def test_a_token_wins_over_another_users_session_which_ends(site, browser):
    browser.sign_in("google", "ada")
    ada, old = browser.user_id, browser.cookie("session")
    page = browser.bring(site.simulator.firebase.mint("grace"))
    assert (page.status, page.html) == (200, "OK")
    assert browser.me()["name"] == "Grace Hopper"
    assert browser.user_id != ada
    stale = site.browser().fetch("/api/v1/me", headers={"Cookie": f"session={old}"})
    assert stale.status == 401


def test_a_token_that_has_to_wait_for_its_owner_leaves_the_session_alone(site, browser):
    site.browser().sign_in("github", "grace")
    browser.sign_in("google", "ada")
    page = browser.bring(site.simulator.google.native_token("grace"))
    problem = assert_problem(page, 409, "needs_proof")
    assert problem["url"] == f"{site.url}/login"
    assert browser.me()["name"] == "Ada Lovelace"


def refusing(make_site, person: str, way: str, **settings: str) -> Page:
    site = make_site(**settings)
    browser: Browser = site.browser()
    return browser.bring(site.simulator.firebase.mint(person, way))


def test_each_refused_app_sign_in_has_its_reason(make_site):
    listed = {"ALLOWED_EMAIL_DOMAINS": "navy.example"}
    page = refusing(make_site, "grace", "google.com", SIGNUPS="closed")
    assert_problem(page, 403, "signups_closed")
    page = refusing(make_site, "linus", "google.com", **listed)
    assert "linus@chemistry.example" in str(assert_problem(page, 403, "not_allowed")["detail"])
    page = refusing(make_site, "grace", "facebook.com", **listed)
    assert_problem(page, 403, "email_unverified")
    page = refusing(make_site, "noa", "google.com", **listed)
    assert_problem(page, 403, "no_email")


def test_a_disabled_app_user_is_told_and_it_is_in_their_activity(site, browser):
    token = site.simulator.firebase.mint("grace")
    browser.bring(token)
    site.execute("UPDATE users SET disabled_at = :now", now="2026-01-01 00:00:00")
    assert browser.me() is None
    assert_problem(browser.bring(token), 403, "disabled")
    rows = site.rows("SELECT kind, reason, provider FROM events ORDER BY at")
    assert [tuple(row) for row in rows] == [
        ("signed_in", "identity_unknown", "google"),
        ("refused", "disabled", "google"),
    ]
