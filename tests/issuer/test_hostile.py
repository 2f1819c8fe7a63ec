"""Requests that take more than they were given, of clients, browsers and strangers."""

import json
from typing import Any

import pytest

from issuer import parked, redirects
from issuer.clients import RESOURCE_TOKEN_MAX_SECONDS
from tests.commands.console import answer as command
from tests.issuer.relying_party import CALLBACK, App
from tests.issuer.test_devices import GRANT, make_tv
from tests.issuer.test_resources import Key, exchange_with
from web import limits

API = "https://api.example/"


def test_no_proof_of_strange_text_is_an_error_of_ours(site):
    """JSON can hold a lone surrogate, which UTF-8 cannot."""
    phone = App(site, "Phone", "--public", "--redirect-uri", CALLBACK)
    key, url = Key(), f"{site.url}/oauth2/token"
    for changed in ({"jti": "\ud800"}, {"htu": "\ud800"}, {"header": {"kid": "\ud800"}}):
        answer = exchange_with(phone, "x", key.proof("POST", url, **changed))
        assert answer.status_code == 400


# What is taken away from a client, its old grants do not have either.


def test_a_scope_taken_from_a_client_is_gone_at_its_next_refresh(grace, site):
    app = App(site, "Notes", "--scope", "openid", "--scope", "email")
    tokens = app.tokens(grace, scope="openid email")
    command(site, "clients", "set", app.client_id, "--scope", "openid")
    assert app.refresh(tokens.refresh, scope="openid email").error == "invalid_scope"
    again = app.refresh(tokens.refresh)
    assert again.document["scope"] == "openid"
    assert "email" not in app.userinfo(again.access).json()


def test_a_scope_taken_from_a_client_is_in_no_answer_to_its_code(grace, site):
    app = App(site, "Notes", "--scope", "openid", "--scope", "email")
    code = app.sign_in(grace, scope="openid email")["code"]
    command(site, "clients", "set", app.client_id, "--scope", "openid")
    assert app.exchange(code).document["scope"] == "openid"


@pytest.mark.parametrize("how", ["removed", "taken from the client"])
def test_no_token_is_made_for_an_api_that_was_taken_away(grace, site, how):
    command(site, "resources", "add", API, "--scope", "files")
    command(site, "resources", "add", "https://other.example/", "--scope", "files")
    app = App(site, "Notes", "--resource", API)
    tokens = app.tokens(grace, resource=API, scope="openid files offline_access")
    code = app.sign_in(grace, resource=API, scope="openid files offline_access")["code"]
    if how == "removed":
        command(site, "resources", "remove", API)
    else:
        command(site, "clients", "set", app.client_id, "--resource", "https://other.example/")
    assert app.refresh(tokens.refresh).error == "invalid_grant"
    assert app.exchange(code).error == "invalid_grant"
    assert not app.is_active(tokens.refresh)


def test_a_token_for_an_api_ends_when_its_answer_says(grace, site):
    command(site, "resources", "add", API, "--scope", "files")
    app = App(site, "Notes", "--resource", API, "--access-seconds", "3600")
    tokens = app.tokens(grace, resource=API, scope="openid files")
    claims = app.claims(tokens.access)
    assert tokens.document["expires_in"] == RESOURCE_TOKEN_MAX_SECONDS
    assert claims["exp"] - claims["iat"] == RESOURCE_TOKEN_MAX_SECONDS
    assert abs(app.introspect(tokens.access)["exp"] - claims["exp"]) <= 1


# Clients that anybody can be.


def test_a_device_names_no_api(site):
    tv = make_tv(site)
    asked = tv.post("device_authorization", {"scope": "openid", "resource": API})
    assert asked.json()["error"] == "invalid_target"
    begun = tv.post("device_authorization", {"scope": "openid"}).json()
    polled = tv.token(grant_type=GRANT, device_code=begun["device_code"], resource=API)
    assert polled.error == "invalid_target"


def test_nobody_fills_the_tables_in_the_name_of_a_public_client(site, monkeypatch):
    monkeypatch.setattr(limits, "PUSHES_PER_MINUTE", 3)
    monkeypatch.setattr(limits, "DEVICES_PER_TEN_MINUTES", 3)
    site.restart()
    phone = App(site, "Phone", "--public", "--grant", "device", "--grant", "authorization_code")
    server = App(site, "Server")
    for endpoint, form in (("par", phone.authorization()), ("device_authorization", {})):
        statuses = [phone.post(endpoint, form).status_code for _ in range(4)]
        assert statuses[2] in (200, 201)
        assert statuses[3] == 429
    assert server.post("par", server.authorization()).status_code == 201
    assert site.rows("SELECT count(*) FROM device_codes")[0][0] == 3
    assert site.rows("SELECT count(*) FROM authorization_requests")[0][0] == 4


def test_a_parked_request_keeps_no_credentials_and_nothing_useless(app, grace, site):
    odd = {"client_secret": "a secret in the wrong place", "x" * 50: "y", "code_verifier": "z"}
    assert grace.fetch(
        "/oauth2/authorize", "POST", data=app.authorization(login_hint="g", **odd)
    ).location.startswith("/oauth2/continue/")
    app.post("par", app.authorization(**odd | {"client_secret": app.secret}), auth=None)
    rows = site.rows("SELECT parameters FROM authorization_requests")
    for (stored,) in rows:
        kept: dict[str, Any] = stored if isinstance(stored, dict) else json.loads(stored)
        assert set(kept["values"]) <= parked.STORED
        assert set(app.authorization()) <= set(kept["values"])
    assert len(rows) == 2


def test_pairwise_clients_can_match_neither_people_nor_sessions(grace, site):
    one = App(site, "One", "--pairwise")
    two = App(site, "Two", "--pairwise")
    claims = [
        each.claims(each.tokens(grace, scope="openid").document["id_token"]) for each in (one, two)
    ]
    for name in ("sub", "sid"):
        values = {each[name] for each in claims}
        assert len(values) == 2
        assert not values & {grace.user_id, site.rows("SELECT sid FROM sessions")[0][0]}
    again = one.claims(one.tokens(grace, scope="openid").document["id_token"])
    assert (again["sub"], again["sid"]) == (claims[0]["sub"], claims[0]["sid"])


def test_a_pairwise_client_signs_out_its_own_session_without_a_question(grace, site):
    app = App(site, "One", "--pairwise")
    id_token = app.tokens(grace, scope="openid").document["id_token"]
    page = grace.get("/oauth2/logout", params={"id_token_hint": id_token})
    assert page.path == "/oauth2/logout/done"
    assert grace.me() is None


# What a browser does before its person wants it.

AHEAD = [
    ("GET", {"Sec-Purpose": "prefetch", "Sec-Fetch-Mode": "no-cors"}),
    ("GET", {"Sec-Purpose": "prefetch;prerender", "Sec-Fetch-Mode": "navigate"}),
    ("GET", {"Purpose": "prefetch"}),
]


@pytest.mark.parametrize(("method", "headers"), AHEAD, ids=str)
def test_a_page_that_is_loaded_ahead_signs_nobody_in_or_out(app, grace, site, method, headers):
    id_token = app.tokens(grace).document["id_token"]
    before = site.rows("SELECT count(*) FROM grants")
    ahead = grace.fetch("/oauth2/authorize", method, params=app.authorization(), headers=headers)
    assert (ahead.status, ahead.location) == (400, "")
    assert site.rows("SELECT count(*) FROM grants") == before
    out = grace.fetch("/oauth2/logout", method, params={"id_token_hint": id_token}, headers=headers)
    assert out.status == 400
    assert grace.me() is not None


def test_a_sign_out_by_post_with_a_parameter_given_twice_is_refused(app, grace):
    form = [("state", "a"), ("state", "b"), ("client_id", app.client_id)]
    assert grace.fetch("/oauth2/logout", "POST", data=form).status == 400


# Hosts that people and browsers read differently.


@pytest.mark.parametrize(
    "uri",
    [
        *("https://evil.example;sandbox/cb", "https://evil.example,x/", "https://a'b.example/"),
        *("https://notes%2eexample/cb", "https://notes..example/cb", "https://notes.example./"),
        *("https://(notes)/", "https://notes.example:443:80/", "https://$/", "https://!/"),
        *("https://[v1.x]/", "https://:443/", "https:///notes.example"),
    ],
)
def test_a_host_that_is_no_plain_name_cannot_be_registered(uri):
    for is_public in (True, False):
        assert redirects.fault(uri, is_public=is_public)


@pytest.mark.parametrize(
    "uri",
    [
        *(
            "https://notes.example/cb;x=1,2",
            "https://NOTES.example:8443/",
            "https://[2001:db8::1]/",
        ),
        *("https://xn--bcher-kva.example/", "https://my_app.example/cb?x='1'"),
    ],
)
def test_plain_hosts_can_be_registered(uri):
    assert redirects.fault(uri, is_public=False) is None
    assert not set(redirects.form_source(uri)) & set(" ;,'")


def test_the_place_of_an_app_on_the_device_is_its_scheme():
    assert redirects.host_of("com.example.app://bank.example/cb") == "com.example.app:"
