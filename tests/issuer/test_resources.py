"""Access tokens for APIs of others: JWTs, proofs of a key, and pushed requests."""

import base64
import hashlib
import json
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from joserfc import jwk, jws

from tests.browser import Browser
from tests.commands.console import answer, run
from tests.issuer.relying_party import CALLBACK, App, allow, query_of
from tests.site import Site

API = "https://api.example/v1"


@pytest.fixture
def photos(site: Site) -> App:
    """A client that may use an API of others, whose own client introspects."""
    answer(site, "resources", "add", API, "--scope", "photos.read", "--scope", "photos.write")
    return App(site, "Photos", "--resource", API)


def test_a_token_for_a_resource_is_a_jwt_for_it_alone(photos, grace, site):
    tokens = photos.tokens(grace, scope="openid photos.read frog", resource=API)
    assert tokens.document["scope"] == "openid photos.read"
    assert photos.header(tokens.access)["typ"] == "at+jwt"
    claims = photos.claims(tokens.access)
    assert {name: claims[name] for name in ("iss", "aud", "sub", "client_id", "scope")} == {
        "iss": site.url,
        "aud": API,
        "sub": grace.user_id,
        "client_id": photos.client_id,
        "scope": "photos.read",
    }
    assert claims["exp"] - claims["iat"] <= 600
    assert claims["jti"]
    assert claims["auth_time"] <= time.time()


def test_the_consent_page_names_the_api_and_its_scopes(photos, grace):
    page = photos.ask(grace, scope="openid photos.read", resource=API)
    assert f"Act for you at {API}: photos.read" in page.text
    allow(grace, page)
    assert f"Act for you at {API}: photos.read" in grace.get("/account/apps").text


def test_a_token_for_a_resource_is_none_for_us(photos, grace, site):
    tokens = photos.tokens(grace, scope="openid photos.read", resource=API)
    jti = photos.claims(tokens.access)["jti"]
    for token in (tokens.access, jti):
        assert photos.userinfo(token).status_code == 401
        headers = {"Authorization": f"Bearer {token}"}
        assert requests.get(f"{site.url}/api/v1/me", headers=headers, timeout=60).status_code == 401
    page = photos.ask(grace, id_token_hint=tokens.access)
    assert query_of(page.location)["error"] == "invalid_request"


@pytest.mark.parametrize("resource", ["https://other.example", f"{API}#x", "frog", f"{API}/"])
def test_an_unregistered_resource_is_an_invalid_target(photos, grace, resource):
    page = photos.ask(grace, resource=resource)
    assert query_of(page.location)["error"] == "invalid_target"


def test_a_client_uses_the_resources_that_it_is_registered_with(photos, grace, site):
    other = App(site, "Other")
    assert query_of(other.ask(grace, resource=API).location)["error"] == "invalid_target"
    assert run(
        site, "clients", "add", "X", "--redirect-uri", CALLBACK, "--resource", "https://x"
    ).exit_code
    assert run(site, "resources", "add", f"{API}#x").exit_code == 1


def test_the_resource_stays_the_same_at_exchange_and_refresh(photos, grace):
    got = photos.sign_in(grace, scope="openid photos.read", resource=API)
    assert photos.exchange(got["code"], resource="https://other.example").error == "invalid_target"
    tokens = photos.tokens(grace, scope="openid photos.read", resource=API)
    assert (
        photos.refresh(tokens.refresh, resource="https://other.example").error == "invalid_target"
    )
    again = photos.refresh(tokens.refresh, resource=API)
    assert photos.claims(again.access)["aud"] == API


def test_a_resource_introspects_the_tokens_that_are_for_it(photos, grace, site):
    server = App(site, "The API", "--grant", "client_credentials")
    stranger = App(site, "Stranger", "--grant", "client_credentials")
    token = photos.tokens(grace, scope="openid photos.read", resource=API).access
    assert server.introspect(token) == {"active": False}
    answer(site, "resources", "add", API, "--scope", "photos.read", "--client", server.client_id)
    seen = server.introspect(token)
    assert (seen["active"], seen["aud"], seen["client_id"]) == (True, API, photos.client_id)
    assert stranger.introspect(token) == {"active": False}
    assert server.introspect(token[:-6] + "AAAAAA") == {"active": False}
    grace.sign_out()
    assert server.introspect(token) == {"active": False}


def test_a_machine_gets_a_jwt_for_its_resource(site):
    answer(site, "resources", "add", API, "--scope", "photos.read")
    app = App(site, "Cron", "--grant", "client_credentials", "--resource", API)
    tokens = app.token(grant_type="client_credentials", scope="photos.read", resource=API)
    claims = app.claims(tokens.access)
    assert (claims["aud"], claims["sub"], claims["scope"]) == (API, app.client_id, "photos.read")
    refused = app.token(grant_type="client_credentials", resource="https://other.example")
    assert refused.error == "invalid_target"


# Pushed requests (RFC 9126).


def push(app: App, **changed: str | None) -> requests.Response:
    return app.post("par", app.authorization(**changed))


def test_a_pushed_request_is_used_once_by_its_client(app, grace, site):
    app.sign_in(grace)
    pushed = push(app)
    assert pushed.status_code == 201
    assert pushed.json()["expires_in"] == 60
    request_uri = pushed.json()["request_uri"]
    other = App(site, "Other")
    asked = {"client_id": other.client_id, "request_uri": request_uri}
    assert grace.get("/oauth2/authorize", params=asked).status == 400
    asked = {"client_id": app.client_id, "request_uri": request_uri}
    page = grace.get("/oauth2/authorize", params=asked)
    assert app.exchange(query_of(page.location)["code"]).status == 200
    assert grace.get("/oauth2/authorize", params=asked).status == 400


def test_a_pushed_request_expires(app, grace, site):
    request_uri = push(app).json()["request_uri"]
    site.execute("UPDATE authorization_requests SET expires_at = '2026-01-01 00:00:00+00:00'")
    asked = {"client_id": app.client_id, "request_uri": request_uri}
    assert grace.get("/oauth2/authorize", params=asked).status == 400


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"redirect_uri": "https://evil.example"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "request_uri_not_supported"),
    ],
)
def test_a_faulty_pushed_request_is_refused_to_the_client(app, changed, error):
    refused = push(app, **changed)
    assert (refused.status_code, refused.json()["error"]) == (400, error)


def test_a_pushed_request_needs_its_client(app, site):
    answer = requests.post(f"{site.url}/oauth2/par", data=app.authorization(), timeout=60)
    assert answer.status_code == 401


# Proofs of possession (RFC 9449).


class Key:
    """A client's key, and the proofs that it makes."""

    def __init__(self) -> None:
        self.key = jwk.ECKey.generate_key("P-256")

    @property
    def jkt(self) -> str:
        return self.key.thumbprint()

    def proof(self, method: str, url: str, token: str = "", **changed: Any) -> str:
        claims = {"htm": method, "htu": url, "iat": int(time.time()), "jti": secrets.token_hex(8)}
        if token:
            digest = hashlib.sha256(token.encode()).digest()
            claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        header = {
            "typ": "dpop+jwt",
            "alg": "ES256",
            "jwk": self.key.as_dict(private=False),
            **changed.pop("header", {}),
        }
        payload = json.dumps(claims | changed).encode()
        return jws.serialize_compact(header, payload, self.key)


def exchange_with(app: App, code: str, proof: str | None, **form: Any) -> requests.Response:
    usual = {
        "grant_type": "authorization_code",
        "client_id": app.client_id,
        "code": code,
        "redirect_uri": app.redirect_uri,
        "code_verifier": app.verifier,
    }
    headers = {"DPoP": proof} if proof else {}
    return requests.post(
        f"{app.site.url}/oauth2/token", data=usual | form, headers=headers, timeout=60
    )


@pytest.fixture
def phone(site: Site) -> App:
    return App(site, "Phone", "--public", "--redirect-uri", CALLBACK)


def refresh_with(app: App, token: str, proof: str | None) -> requests.Response:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return exchange_with(app, "", proof, **form)


def test_a_bound_token_needs_its_key(phone, grace: Browser, site):
    key, thief = Key(), Key()
    url, userinfo = f"{site.url}/oauth2/token", f"{site.url}/oauth2/userinfo"
    code = phone.sign_in(grace)["code"]
    tokens = exchange_with(phone, code, key.proof("POST", url)).json()
    assert tokens["token_type"] == "DPoP"
    access = tokens["access_token"]

    def ask(scheme: str, proof: str | None) -> int:
        headers = {"Authorization": f"{scheme} {access}"} | ({"DPoP": proof} if proof else {})
        return requests.get(userinfo, headers=headers, timeout=60).status_code

    good = key.proof("GET", userinfo, access)
    assert ask("DPoP", good) == 200
    assert ask("DPoP", good) == 401  # used before
    assert ask("Bearer", None) == 401
    assert ask("Bearer", key.proof("GET", userinfo, access)) == 401
    assert ask("DPoP", None) == 401
    assert ask("DPoP", thief.proof("GET", userinfo, access)) == 401
    assert ask("DPoP", key.proof("GET", userinfo)) == 401  # no ath
    assert refresh_with(phone, tokens["refresh_token"], None).json()["error"] == "invalid_grant"
    stolen = refresh_with(phone, tokens["refresh_token"], thief.proof("POST", url))
    assert stolen.json()["error"] == "invalid_grant"
    again = refresh_with(phone, tokens["refresh_token"], key.proof("POST", url))
    assert again.status_code == 200
    assert again.json()["token_type"] == "DPoP"


@pytest.mark.parametrize(
    "changed",
    [
        {"htm": "GET"},
        {"htu": "https://other.example/oauth2/token"},
        {"iat": 0},
        {"iat": 9e12},
        {"iat": "now"},
        {"jti": ""},
        {"header": {"typ": "JWT"}},
        {"header": {"jwk": {"kty": "oct", "k": "AAAA"}}},
    ],
)
def test_a_faulty_proof_is_refused(phone, grace, site, changed):
    code = phone.sign_in(grace)["code"]
    url = f"{site.url}/oauth2/token"
    refused = exchange_with(phone, code, Key().proof("POST", url, **changed))
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof")
    assert exchange_with(phone, code, None).status_code == 200


def test_a_proof_with_a_private_key_is_refused(phone, site):
    key = Key()
    proof = key.proof("POST", f"{site.url}/oauth2/token", header={"jwk": key.key.as_dict(True)})
    assert exchange_with(phone, "x", proof).json()["error"] == "invalid_dpop_proof"


def test_a_code_may_be_bound_to_a_key_from_the_beginning(phone, grace, site):
    key, url = Key(), f"{site.url}/oauth2/token"
    page = phone.ask(grace, dpop_jkt=key.jkt)
    code = query_of(allow(grace, page).location if page.status == 200 else page.location)["code"]
    refused = exchange_with(phone, code, Key().proof("POST", url))
    assert refused.json()["error"] == "invalid_grant"


def test_a_proof_counts_once_on_all_instances(both):
    app = App(both, "Cron", "--grant", "client_credentials")
    proof = Key().proof("POST", f"{both.url}/oauth2/token")
    barrier = threading.Barrier(10)

    def ask(_number: int) -> int:
        barrier.wait(30)
        return requests.post(
            f"{both.url}/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=(app.client_id, app.secret or ""),
            headers={"DPoP": proof},
            timeout=60,
        ).status_code

    with ThreadPoolExecutor(10) as pool:
        assert sorted(pool.map(ask, range(10))) == [200] + [400] * 9


# What people read.


def test_the_consent_page_names_the_api_in_its_registered_words(site, grace):
    other = "https://other.example"
    words = ("--words", "read=See <i>your</i> photos", "--words", "write=Change them")
    scopes = ("--scope", "read", "--scope", "write")
    answer(site, "resources", "add", API, "--name", "<b>Photos</b>", *scopes, *words)
    answer(site, "resources", "add", other, "--name", "Films", *scopes, "--words", "read=See films")
    app = App(site, "Album", "--resource", API, "--resource", other)
    page = app.ask(grace, scope="openid read", resource=API)
    assert f"Act for you at &lt;b&gt;Photos&lt;/b&gt; ({API}): See &lt;i&gt;your" in page.html
    assert "Change them" not in page.text
    assert "Films" not in page.text
    allow(grace, page)
    # What was allowed for one API is not allowed for another, and the other way round.
    page = app.ask(grace, scope="openid read write", resource=other)
    assert f"Act for you at Films ({other}): See films, write" in page.text
    allow(grace, page)
    assert "Change them" in app.ask(grace, scope="openid write", resource=API).text
    for resource in (API, other):
        assert "code" in query_of(app.ask(grace, scope="openid read", resource=resource).location)
    shown = grace.get("/account/apps").text
    assert "Films" in shown
    assert "<b>Photos</b>" in shown


def test_words_are_for_scopes_of_the_api(site):
    fault = run(site, "resources", "add", API, "--scope", "read", "--words", "write=Change them")
    assert fault.exit_code == 1
