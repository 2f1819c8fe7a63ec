"""Every fault of an application's request: one table, and each of its rows is met here."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
import requests

from issuer.faults import FAULTS, PAGE
from tests.commands.console import answer as answer_of
from tests.issuer.relying_party import CALLBACK, App, query_of
from tests.site import Site

# Changes to a usual authorization request, by the fault that each has.
SENT_BACK: dict[str, dict[str, str | None]] = {
    "parameter_malformed": {"state": "a\x00b"},
    "request_object": {"request": "eyJhbGciOiJub25lIn0.e30."},
    "request_uri": {"request_uri": "https://notes.example/request"},
    "registration": {"registration": "{}"},
    "response_type_missing": {"response_type": None},
    "response_type_unknown": {"response_type": "token"},
    "response_mode_unknown": {"response_mode": "fragment"},
    "pkce_missing": {"code_challenge": None, "code_challenge_method": None},
    "pkce_method": {"code_challenge_method": "plain"},
    "pkce_malformed": {"code_challenge": "short"},
    "prompt_unknown": {"prompt": "frog"},
    "prompt_none_and_more": {"prompt": "none login"},
    "max_age_malformed": {"max_age": "frog"},
    "claims_malformed": {"claims": "[]"},
    "jkt_malformed": {"dpop_jkt": "frog"},
    "hint_malformed": {"id_token_hint": "frog"},
    "resource_unknown": {"resource": "https://api.example"},
    "consent_required": {"prompt": "none"},
}
ON_A_PAGE: dict[str, dict[str, str | None]] = {
    "client_id_missing": {"client_id": None},
    "client_unknown": {"client_id": "0" * 32},
    "pushed_unknown": {"request_uri": "urn:ietf:params:oauth:request_uri:frog"},
    "redirect_uri_missing": {"redirect_uri": None},
    "redirect_uri_unregistered": {"redirect_uri": CALLBACK + "/"},
}
FROM_THE_TOKEN_ENDPOINT: dict[str, dict[str, str]] = {
    "grant_type_missing": {},
    "grant_type_unknown": {"grant_type": "password"},
    "grant_type_not_allowed": {"grant_type": "client_credentials"},
    "code_missing": {"grant_type": "authorization_code"},
    "code_unknown": {"grant_type": "authorization_code", "code": "frog"},
    "refresh_missing": {"grant_type": "refresh_token"},
    "refresh_unknown": {"grant_type": "refresh_token", "refresh_token": "frog"},
    "parameter_malformed": {"grant_type": "authorization_code", "code": "a\x00b"},
}
# Rows with a test of their own, here or where it belongs.
ELSEWHERE = {
    "identity_repeated",
    "parameter_repeated",
    "client_disabled",
    "request_expired",
    "response_mode_native",
    "code_not_allowed",
    "nonce_missing",
    "login_required",
    "other_person",
    "selection_required",
    "denied",
    "not_admitted",
    "body_not_form",
    "client_two_ways",
    "client_refused",
    "keys_away",  # test_published_keys.py
    "code_used",
    "code_redirect_uri",
    "verifier_missing",
    "verifier_wrong",
    "verifier_unexpected",
    "refresh_reused",
    "grant_ended",
    "scope_wider",
    "scope_unknown",
    "token_missing",
    "bearer_missing",
    "bearer_two_places",
    "bearer_malformed",
    "bearer_invalid",
    "bearer_scope",
    "logout_malformed",
    "logout_hint",
    "logout_client",
    "post_logout_uri",
    "unavailable",
    "too_many_failures",
    "key_wrong",
    "device_missing",
    "device_unknown",
    "device_expired",
    "device_pending",
    "device_slow_down",
    "device_denied",
    "proof_invalid",
    "pushed_refused",
    "bearer_proof",
    # test_documents.py
    "document_away",
    "document_faulty",
    # test_failures.py
    "path_unknown",
    "method_wrong",
    "body_too_large",
    "http_malformed",
    "failed",
}


def test_every_fault_of_the_table_is_met():
    met = {*SENT_BACK, *ON_A_PAGE, *FROM_THE_TOKEN_ENDPOINT, *ELSEWHERE}
    assert met == set(FAULTS)


@pytest.mark.parametrize("name", SENT_BACK)
def test_a_faulty_request_is_answered_to_the_client_with_iss_and_state(app, grace, site, name):
    page = app.ask(grace, **SENT_BACK[name])
    assert page.location.startswith(f"{CALLBACK}?"), page
    got = query_of(page.location)
    assert got["error"] == FAULTS[name].error
    assert got["error_description"] == FAULTS[name].description
    assert got["iss"] == site.url
    assert got["state"] == SENT_BACK[name].get("state", "the state")
    assert "code" not in got


@pytest.mark.parametrize("name", ON_A_PAGE)
def test_a_request_without_a_sure_client_is_answered_on_a_page(app, grace, name):
    assert FAULTS[name].error == PAGE
    page = app.ask(grace, **ON_A_PAGE[name])
    assert page.status == 400
    assert page.location == ""
    assert FAULTS[name].description.lower() in page.text.lower()


@pytest.mark.parametrize("name", FROM_THE_TOKEN_ENDPOINT)
def test_the_token_endpoint_names_the_fault(app, name):
    answer = app.token(**FROM_THE_TOKEN_ENDPOINT[name])
    assert answer.status == FAULTS[name].status
    assert answer.error == FAULTS[name].error
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_disabled_client_gets_no_answer(app, grace, site):
    answer_of(site, "clients", "disable", app.client_id)
    page = app.ask(grace)
    assert page.status == 400
    assert "disabled" in page.text


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_a_repeated_client_id_or_redirect_uri_is_answered_on_a_page(app, grace, name):
    asked = list(app.authorization().items())
    page = grace.get("/oauth2/authorize", params=[*asked, (name, dict(asked)[name])])
    assert page.status == 400
    assert page.location == ""


def test_another_repeated_parameter_is_an_invalid_request(app, grace):
    asked = [*app.authorization().items(), ("scope", "openid")]
    page = grace.get("/oauth2/authorize", params=asked)
    assert query_of(page.location)["error"] == "invalid_request"


def test_a_client_without_pkce_must_send_a_nonce(grace, site):
    app = App(site, "Old", "--no-pkce")
    page = app.ask(grace, code_challenge=None, code_challenge_method=None, nonce=None)
    answer = query_of(page.location)
    assert answer["error"] == "invalid_request"
    assert answer["error_description"] == FAULTS["nonce_missing"].description


def test_a_public_client_always_needs_pkce(grace, site):
    app = App(site, "Phone", "--public")
    page = app.ask(grace, code_challenge=None, code_challenge_method=None)
    assert query_of(page.location)["error_description"] == FAULTS["pkce_missing"].description


def test_form_post_is_not_for_the_scheme_of_an_app(grace, site):
    app = App(site, "Phone", "--public", "--redirect-uri", "com.example.app:/cb")
    page = app.ask(grace, response_mode="form_post")
    assert query_of(page.location)["error"] == "invalid_request"


def test_a_client_of_machines_cannot_ask_people(grace, site):
    app = App(site, "Cron", "--grant", "client_credentials")
    page = app.ask(grace)
    assert query_of(page.location)["error"] == "unauthorized_client"


# Client authentication.


def basic(client_id: str, secret: str) -> dict[str, str]:
    text = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {text}"}


CODE = {"grant_type": "authorization_code", "code": "frog"}
BAD_CREDENTIALS: dict[str, Callable[[App], dict[str, Any]]] = {
    "wrong secret": lambda app: {"headers": basic(app.client_id, "wrong")},
    "unknown client": lambda _app: {"headers": basic("0" * 32, "wrong")},
    "no credentials": lambda _app: {"headers": {}},
    "no secret": lambda app: {"headers": {}, "data": {"client_id": app.client_id}},
    "empty secret": lambda app: {"headers": basic(app.client_id, "")},
    "not base64": lambda _app: {"headers": {"Authorization": "Basic ***"}},
    "not utf-8": lambda _app: {"headers": {"Authorization": "Basic //79"}},
    "no colon": lambda _app: {"headers": {"Authorization": "Basic YWJj"}},
    "another scheme": lambda _app: {"headers": {"Authorization": "Bearer abc"}},
    "a surrogate": lambda app: {
        "headers": {},
        "data": {"client_id": app.client_id, "client_secret": b"\xed\xa0\x80"},
    },
}


def post_token(app: App, headers: dict[str, str], data: dict[str, Any] | None = None):
    return requests.post(
        f"{app.site.url}/oauth2/token", data={**CODE, **(data or {})}, headers=headers, timeout=60
    )


@pytest.mark.parametrize("name", BAD_CREDENTIALS)
def test_bad_client_credentials_are_refused_alike(app, name):
    answer = post_token(app, **BAD_CREDENTIALS[name](app))
    assert answer.status_code in (400, 401), answer.text
    if name != "a surrogate":
        assert answer.status_code == 401
        assert answer.json()["error"] == "invalid_client"
        assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_a_client_authenticates_in_one_way_only(app):
    data = {"client_id": app.client_id, "client_secret": app.secret}
    answer = post_token(app, basic(app.client_id, app.secret or ""), data)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_client_may_authenticate_by_the_form(app):
    data = {"client_id": app.client_id, "client_secret": app.secret}
    assert post_token(app, {}, data).json()["error"] == "invalid_grant"


def test_basic_credentials_are_form_decoded(app):
    encoded = (app.secret or "").replace("-", "%2D").replace("_", "%5F")
    assert post_token(app, basic(app.client_id, encoded)).json()["error"] == "invalid_grant"


def test_a_public_client_has_no_secret(site):
    app = App(site, "Phone", "--public")
    assert app.secret is None
    answer = post_token(app, {}, {"client_id": app.client_id, "client_secret": "guess"})
    assert answer.json()["error"] == "invalid_client"
    assert post_token(app, {}, {"client_id": app.client_id}).json()["error"] == "invalid_grant"


def test_the_token_endpoint_takes_forms_only(app):
    url = f"{app.site.url}/oauth2/token"
    auth = (app.client_id, app.secret or "")
    assert requests.post(url, json=CODE, auth=auth, timeout=60).json()["error"] == "invalid_request"
    in_query = requests.post(url, params=CODE, auth=auth, timeout=60)
    assert in_query.json()["error"] == "invalid_request"
    assert requests.get(url, params=CODE, auth=auth, timeout=60).status_code == 405
    twice = requests.post(url, data=[*CODE.items(), ("code", "b")], auth=auth, timeout=60)
    assert twice.json()["error"] == "invalid_request"


def test_pages_of_any_origin_may_call_the_token_endpoint(app):
    url = f"{app.site.url}/oauth2/token"
    asked = {"Origin": "https://spa.example", "Access-Control-Request-Method": "POST"}
    answer = requests.options(url, headers=asked, timeout=60)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers


# Bearer tokens.


def test_userinfo_names_the_fault_of_a_token(app, grace, site):
    url = f"{site.url}/oauth2/userinfo"
    tokens = app.tokens(grace)
    good = {"Authorization": f"Bearer {tokens.access}"}
    assert requests.get(url, headers=good, timeout=60).status_code == 200
    assert requests.post(url, headers=good, timeout=60).status_code == 200
    in_body = {"access_token": tokens.access}
    assert requests.post(url, data=in_body, timeout=60).status_code == 200
    both_places = requests.post(url, data=in_body, headers=good, timeout=60)
    assert (both_places.status_code, both_places.json()["error"]) == (400, "invalid_request")
    missing = requests.get(url, timeout=60)
    assert (missing.status_code, missing.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert requests.get(url, params=in_body, timeout=60).status_code == 401
    wrong = requests.get(url, headers={"Authorization": "Bearer frog"}, timeout=60)
    assert wrong.status_code == 401
    assert 'error="invalid_token"' in wrong.headers["WWW-Authenticate"]
    odd = requests.get(url, headers={"Authorization": "Bearer a b"}, timeout=60)
    assert (odd.status_code, odd.json()["error"]) == (400, "invalid_request")


def test_a_token_without_openid_learns_nothing_at_userinfo(grace, site):
    app = App(site, "Files", "--scope", "profile")
    tokens = app.tokens(grace, scope="profile")
    assert "id_token" not in tokens.document
    answer = app.userinfo(tokens.access)
    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")


def test_no_odd_value_is_an_error_of_ours(both: Site):
    app, grace = App(both), both.browser()
    grace.sign_in("google", "grace")
    for value in ("\x00", "\ufffd", "x" * 5000, "\u202e", "💥" * 100):
        for name in ("state", "scope", "nonce", "client_id", "login_hint", "claims", "prompt"):
            page = grace.fetch("/oauth2/authorize", params=app.authorization(**{name: value}))
            assert page.status < 500, (name, value)
        assert app.token(grant_type=value).status == 400
        assert app.token(grant_type="authorization_code", code=value).status == 400
        assert app.refresh(value).status == 400
        for endpoint in ("revoke", "introspect"):
            assert app.post(endpoint, {"token": value}).status_code < 500
    for raw in (b"state=%ed%a0%80", b"state=%ff%fe", b"client_id=%00"):
        assert grace.fetch(f"/oauth2/authorize?{raw.decode()}").status == 400
