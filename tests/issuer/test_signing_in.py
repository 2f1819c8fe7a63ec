"""Signing in to an application: the whole way, and what the tokens say."""

import time

from tests.issuer.relying_party import App, query_of
from tests.issuer.times import set_back


def test_a_person_signs_in_to_an_application_after_signing_in_here(site, app, browser):
    page = app.ask(browser)
    assert page.path == "/login"
    assert page.heading == "Sign in to continue to Notes"
    login = next(link for link in page.links() if link.startswith("/login/google"))
    at_google = browser.fetch(login).location
    consent = browser.get(browser.choose(at_google, "grace"))
    assert "Notes" in consent.heading
    assert "See your email address" in consent.text
    answer = browser.fetch(
        consent.actions()[-1], "POST", data={"csrf_token": consent.csrf_token, "answer": "allow"}
    )
    assert answer.location.startswith(app.redirect_uri)

    got = query_of(answer.location)
    assert got["state"] == "the state"
    assert got["iss"] == site.url
    tokens = app.exchange(got["code"])
    assert tokens.status == 200, tokens.document
    claims = app.claims(tokens.document["id_token"])
    assert claims["sub"] == browser.user_id
    assert claims["aud"] == app.client_id
    assert claims["iss"] == site.url
    assert claims["nonce"] == "the nonce"
    assert abs(claims["auth_time"] - time.time()) < 60
    told = app.userinfo(tokens.access).json()
    assert told["sub"] == claims["sub"]
    assert told["email"] == "grace@navy.example"
    assert told["email_verified"] is True
    again = app.refresh(tokens.refresh)
    assert again.status == 200, again.document


def test_tokens_of_a_sign_in_are_active_on_both_engines(both):
    browser = both.browser()
    browser.sign_in("google", "grace")
    app = App(both)
    tokens = app.tokens(browser)
    assert app.is_active(tokens.access)
    assert app.is_active(tokens.refresh)


def test_a_session_of_the_release_before_gets_its_sid(app, grace, site):
    """During a rolling upgrade, an instance of that release starts sessions without one."""
    site.execute("UPDATE sessions SET sid = NULL")
    sids = {app.claims(app.tokens(grace).document["id_token"])["sid"] for _ in range(2)}
    assert len(sids) == 1
    assert site.rows("SELECT sid FROM sessions") == [(sids.pop(),)]


def test_under_a_path_the_issuer_has_it_too(make_site):
    site = make_site(PATH_PREFIX="/sso")
    browser = site.browser()
    about = browser.get("/sso/.well-known/openid-configuration").response.json()
    assert about["issuer"] == f"{site.url}/sso"
    app = App(site, "Notes", "--first-party")
    asked = browser.fetch(about["authorization_endpoint"], params=app.authorization())
    waiting = browser.fetch(asked.location)
    assert asked.location.startswith("/sso/oauth2/continue/")
    assert waiting.location.startswith("/sso/login?next=/sso/oauth2/continue/")
    assert browser.fetch(waiting.location).heading == "Sign in to continue to Notes"


def test_a_request_without_a_nonce_succeeds_with_pkce(app, grace):
    tokens = app.tokens(grace, nonce=None)
    assert "nonce" not in app.claims(tokens.document["id_token"])


def test_a_long_nonce_comes_back_as_it_was(app, grace):
    nonce = "n" * 64
    assert app.claims(app.tokens(grace, nonce=nonce).document["id_token"])["nonce"] == nonce


def test_an_id_token_has_whole_times_and_no_nbf(app, grace):
    tokens = app.tokens(grace)
    claims = app.claims(tokens.document["id_token"])
    assert {type(claims[name]) for name in ("exp", "iat", "auth_time")} == {int}
    assert claims["exp"] - claims["iat"] == 600
    assert "nbf" not in claims
    assert claims["at_hash"]
    assert claims["sid"]
    assert tokens.headers["Cache-Control"] == "no-store"


def test_only_a_session_that_lets_in_signs_in_to_an_application(app, grace, site):
    app.sign_in(grace)
    kept = "(SELECT created_at FROM users)"
    for column in ("users.disabled_at", "users.pending_at"):
        table, name = column.split(".")
        site.execute(f"UPDATE {table} SET {name} = {kept}")
        assert query_of(app.ask(grace, prompt="none").location)["error"] == "login_required"
        site.execute(f"UPDATE {table} SET {name} = NULL")
    assert "code" in query_of(app.ask(grace, prompt="none").location)
    site.execute("UPDATE sessions SET expires_at = created_at")
    assert query_of(app.ask(grace, prompt="none").location)["error"] == "login_required"


def test_an_authorization_notes_the_use_of_its_session_once_a_minute(app, grace, site):
    app.sign_in(grace)
    set_back(site, "last_seen_at", 90, "sessions")
    seen = [site.rows("SELECT last_seen_at FROM sessions")]
    for _ in range(2):
        assert "code" in query_of(app.ask(grace).location)
        seen.append(site.rows("SELECT last_seen_at FROM sessions"))
    assert seen[0] != seen[1] == seen[2]


def test_a_person_whose_session_has_lost_its_identity_signs_in_to_an_application(app, grace, site):
    site.execute("UPDATE sessions SET identity_id = NULL")
    assert app.tokens(grace).status == 200
