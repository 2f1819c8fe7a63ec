"""The modules of the OpenID Foundation's Basic OP plan, each by its name in a docstring.

``oidcc-…`` names the module; what it asks of a server is asked here request by request.
"""

import json
import time
from typing import Any

import pytest
import requests

from keys.signing import encode
from tests.browser import Browser, Page
from tests.issuer.relying_party import CALLBACK, App, allow, query_of
from tests.issuer.times import age_sessions, set_back
from tests.site import Site


def id_token(app: App, browser: Browser, **parameters: str | None) -> dict[str, Any]:
    """The claims of the ID token of one sign-in."""
    return app.claims(app.tokens(browser, **parameters).document["id_token"])


def userinfo(app: App, browser: Browser, **parameters: str | None) -> dict[str, Any]:
    return dict(app.userinfo(app.tokens(browser, **parameters).access).json())


def error_of(page: Page) -> str:
    return query_of(page.location).get("error", "")


# The flow, and the ID token.


def test_a_code_gives_an_id_token_an_access_token_and_userinfo(app, grace, site):
    """oidcc-server"""
    tokens = app.tokens(grace)
    assert tokens.document["token_type"] == "Bearer"
    assert tokens.document["expires_in"] > 0
    assert tokens.headers["Cache-Control"] == "no-store"
    claims = app.claims(tokens.document["id_token"])
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (
        site.url,
        app.client_id,
        "the nonce",
    )
    assert 0 < len(claims["sub"]) <= 255
    assert claims["exp"] > claims["iat"] >= claims["auth_time"]
    assert app.userinfo(tokens.access).json()["sub"] == claims["sub"]


def test_a_request_without_response_type_is_an_error(app, grace):
    """oidcc-response-type-missing"""
    assert error_of(app.ask(grace, response_type=None)) == "invalid_request"


def test_the_id_token_is_signed_by_a_published_key_that_its_header_names(app, grace):
    """oidcc-idtoken-signature"""
    token = app.tokens(grace).document["id_token"]
    header = app.header(token)
    published = {key["kid"]: key for key in app.keys().as_dict()["keys"]}
    assert header["alg"] == "RS256"
    assert published[header["kid"]]["use"] == "sig"
    assert "d" not in published[header["kid"]]


def test_no_id_token_is_unsigned(app, grace, site):
    """oidcc-idtoken-unsigned: no client can be registered for alg none, so each is signed."""
    document = requests.get(f"{site.url}/.well-known/openid-configuration", timeout=60).json()
    assert "none" not in document["id_token_signing_alg_values_supported"]
    ran = site.app.test_cli_runner().invoke(
        args=["clients", "add", "X", "--redirect-uri", CALLBACK, "--id-token-alg", "none"]
    )
    assert ran.exit_code != 0
    assert app.header(app.tokens(grace).document["id_token"])["alg"] != "none"


@pytest.mark.parametrize(
    ("method", "place"),
    [("GET", "header"), ("POST", "header"), ("POST", "body")],
    ids=["oidcc-userinfo-get", "oidcc-userinfo-post-header", "oidcc-userinfo-post-body"],
)
def test_userinfo_takes_the_token_by_get_by_post_and_in_the_body(app, grace, site, method, place):
    """oidcc-userinfo-get, oidcc-userinfo-post-header, oidcc-userinfo-post-body"""
    access = app.tokens(grace).access
    headers = {"Authorization": f"Bearer {access}"} if place == "header" else {}
    data = {"access_token": access} if place == "body" else None
    url = f"{site.url}/oauth2/userinfo"
    got = requests.request(method, url, headers=headers, data=data, timeout=60)
    assert (got.status_code, got.headers["Content-Type"]) == (200, "application/json")
    assert got.json()["sub"] == grace.user_id


def test_a_request_without_a_nonce_succeeds_and_its_id_token_has_none(app, grace):
    """oidcc-ensure-request-without-nonce-succeeds-for-code-flow"""
    assert "nonce" not in id_token(app, grace, nonce=None)


# Scopes.


def test_the_scope_profile_tells_the_profile_only(app, grace):
    """oidcc-scope-profile"""
    told = userinfo(app, grace, scope="openid profile")
    assert told["name"] == "Grace Hopper"
    assert isinstance(told["updated_at"], int)
    assert "email" not in told
    assert None not in told.values()


def test_the_scope_email_tells_the_address_and_a_boolean(app, grace):
    """oidcc-scope-email"""
    told = userinfo(app, grace, scope="openid email")
    assert (told["email"], told["email_verified"]) == ("grace@navy.example", True)
    assert "name" not in told


@pytest.mark.parametrize("scope", ["address", "phone"])
def test_scopes_that_we_do_not_have_are_dropped(app, grace, site, scope):
    """oidcc-scope-address, oidcc-scope-phone"""
    document = requests.get(f"{site.url}/.well-known/openid-configuration", timeout=60).json()
    assert scope not in document["scopes_supported"]
    tokens = app.tokens(grace, scope=f"openid {scope}")
    assert tokens.document["scope"] == "openid"
    assert set(app.userinfo(tokens.access).json()) == {"sub"}


def test_all_scopes_together_tell_all_claims(app, grace):
    """oidcc-scope-all"""
    told = userinfo(app, grace, scope="openid profile email address phone")
    assert {"sub", "name", "email", "email_verified"} <= set(told)


def test_the_order_of_scopes_does_not_count(app, grace):
    """oidcc-alternate-happy-flow: another order of scopes, another state and nonce."""
    got = app.sign_in(grace, scope="email profile openid", state="another", nonce="N-2")
    assert got["state"] == "another"
    tokens = app.exchange(got["code"])
    assert app.claims(tokens.document["id_token"])["nonce"] == "N-2"
    assert app.userinfo(tokens.access).json()["email"] == "grace@navy.example"


# Parameters that change nothing.

NO_EFFECT = {
    "oidcc-display-page": {"display": "page"},
    "oidcc-display-popup": {"display": "popup"},
    "oidcc-ensure-request-with-unknown-parameter-succeeds": {"extra": "foobar"},
    "oidcc-login-hint": {"login_hint": "buffy@example.org"},
    "oidcc-ui-locales": {"ui_locales": "se"},
    "oidcc-claims-locales": {"claims_locales": "se"},
    "oidcc-ensure-request-with-acr-values-succeeds": {"acr_values": "1 2"},
}


@pytest.mark.parametrize("module", NO_EFFECT)
def test_a_parameter_without_effect_does_no_harm(app, grace, module):
    """oidcc-display-page, oidcc-display-popup, oidcc-login-hint, oidcc-ui-locales,
    oidcc-claims-locales, oidcc-ensure-request-with-unknown-parameter-succeeds,
    oidcc-ensure-request-with-acr-values-succeeds"""
    claims = id_token(app, grace, **NO_EFFECT[module])
    assert claims["sub"] == grace.user_id
    assert "acr" not in claims


# prompt, max_age, hints.


def test_prompt_login_signs_in_anew_with_a_later_auth_time(app, grace, site):
    """oidcc-prompt-login"""
    first = id_token(app, grace)
    age_sessions(site, 100)
    page = app.ask(grace, prompt="login")
    assert page.path == "/account/reauth"
    code = query_of(grace.reauth(page, "grace").location)["code"]
    second = app.claims(app.exchange(code).document["id_token"])
    assert second["sub"] == first["sub"]
    assert second["auth_time"] >= first["auth_time"]
    assert time.time() - second["auth_time"] < 60


def test_prompt_none_without_a_session_is_login_required(app, browser, site):
    """oidcc-prompt-none-not-logged-in"""
    got = query_of(app.ask(browser, prompt="none").location)
    assert (got["error"], got["state"], got["iss"]) == ("login_required", "the state", site.url)
    assert "code" not in got


def test_prompt_none_with_a_session_gives_the_same_sign_in(app, grace):
    """oidcc-prompt-none-logged-in"""
    first = id_token(app, grace)
    page = app.ask(grace, prompt="none")
    second = app.claims(app.exchange(query_of(page.location)["code"]).document["id_token"])
    assert (second["sub"], second["auth_time"]) == (first["sub"], first["auth_time"])


def test_max_age_1_signs_in_anew_a_moment_later(app, grace, site):
    """oidcc-max-age-1"""
    app.sign_in(grace)
    age_sessions(site, 2)
    page = app.ask(grace, max_age="1")
    assert page.path == "/account/reauth"
    code = query_of(grace.reauth(page, "grace").location)["code"]
    assert time.time() - app.claims(app.exchange(code).document["id_token"])["auth_time"] < 60


def test_max_age_10000_keeps_the_sign_in(app, grace, site):
    """oidcc-max-age-10000"""
    age_sessions(site, 100)
    first = id_token(app, grace, max_age="15000")
    page = app.ask(grace, max_age="10000")
    second = app.claims(app.exchange(query_of(page.location)["code"]).document["id_token"])
    assert second["auth_time"] == first["auth_time"]


def test_an_id_token_hint_with_prompt_none_gives_the_same_person(app, grace):
    """oidcc-id-token-hint"""
    hint = app.tokens(grace).document["id_token"]
    page = app.ask(grace, prompt="none", id_token_hint=hint)
    claims = app.claims(app.exchange(query_of(page.location)["code"]).document["id_token"])
    assert claims["sub"] == grace.user_id


# Codes, redirect URIs, methods.


@pytest.mark.parametrize("seconds", [0, 30], ids=["oidcc-codereuse", "oidcc-codereuse-30seconds"])
def test_a_code_that_comes_again_is_refused_and_its_tokens_end(app, grace, site, seconds):
    """oidcc-codereuse, oidcc-codereuse-30seconds"""
    code = app.sign_in(grace)["code"]
    tokens = app.exchange(code)
    for column in ("code_used_at", "code_expires_at"):
        set_back(site, column, seconds)
    again = app.exchange(code)
    assert (again.status, again.error) == (400, "invalid_grant")
    assert app.userinfo(tokens.access).status_code == 401


def test_an_unregistered_redirect_uri_gets_a_page_and_no_redirect(app, grace):
    """oidcc-ensure-registered-redirect-uri"""
    page = app.ask(grace, redirect_uri=f"{CALLBACK}/unregistered")
    assert (page.status, page.location) == (400, "")
    assert "is not registered for this client" in page.text


def test_a_request_by_post_succeeds(app, grace):
    """oidcc-ensure-post-request-succeeds"""
    posted = grace.fetch("/oauth2/authorize", "POST", data=app.authorization())
    assert posted.status == 303
    page = allow(grace, grace.get(posted.location))
    assert app.exchange(query_of(page.location)["code"]).status == 200


def test_a_client_authenticates_by_client_secret_post(app, grace):
    """oidcc-server-client-secret-post"""
    form = {
        "grant_type": "authorization_code",
        "code": app.sign_in(grace)["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": app.verifier,
        "client_id": app.client_id,
        "client_secret": app.secret,
    }
    got = app.post("token", form, auth=None)
    assert got.status_code == 200, got.text
    assert app.claims(got.json()["id_token"])["sub"] == grace.user_id


# Request objects and claims.


def unsigned(claims: dict[str, Any]) -> str:
    """A JWT with alg none."""
    header, payload = encode(b'{"alg":"none"}'), encode(json.dumps(claims).encode())
    return f"{header}.{payload}."


def test_an_unsigned_request_object_is_refused_as_unsupported(app, grace):
    """oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported"""
    request = unsigned(app.authorization(state=None, nonce="of the object"))
    got = query_of(app.ask(grace, request=request).location)
    assert (got["error"], got["state"]) == ("request_not_supported", "the state")


def test_a_request_uri_is_refused_as_unsupported(app, grace, site):
    """oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported"""
    document = requests.get(f"{site.url}/.well-known/openid-configuration", timeout=60).json()
    assert document["request_uri_parameter_supported"] is False
    page = app.ask(grace, request_uri="https://notes.example/request.jwt")
    assert error_of(page) == "request_uri_not_supported"


def test_an_essential_claim_is_told(app, grace):
    """oidcc-claims-essential"""
    claims = json.dumps({"userinfo": {"name": {"essential": True}}})
    assert userinfo(app, grace, claims=claims)["name"] == "Grace Hopper"


def test_a_request_object_cannot_lead_elsewhere(app, grace):
    """oidcc-ensure-request-object-with-redirect-uri"""
    request = unsigned(app.authorization(redirect_uri="https://evil.example/cb"))
    for outer in (CALLBACK, None):
        page = app.ask(grace, request=request, redirect_uri=outer)
        assert "evil.example" not in page.location + page.html
        assert "code" not in query_of(page.location)


def test_a_refresh_token_gives_new_tokens_of_the_same_sign_in(app, grace):
    """oidcc-refresh-token"""
    scope = "openid profile email offline_access"
    tokens = app.tokens(grace, scope=scope, prompt="consent")
    new = app.refresh(tokens.refresh)
    assert (new.status, new.access != tokens.access) == (200, True)
    before, after = (app.claims(each.document["id_token"]) for each in (tokens, new))
    for name in ("iss", "sub", "aud", "auth_time"):
        assert before[name] == after[name]
    assert app.userinfo(new.access).json()["sub"] == before["sub"]
    other = App(app.site, "Other")
    assert other.refresh(new.refresh).error == "invalid_grant"
    assert app.refresh(new.refresh).status == 200


def test_a_request_with_valid_pkce_succeeds(app, grace, site: Site):
    """oidcc-ensure-request-with-valid-pkce-succeeds"""
    code = app.sign_in(grace)["code"]
    assert app.exchange(code, code_verifier="x" * 43).error == "invalid_grant"
    assert app.exchange(app.sign_in(grace)["code"]).status == 200
