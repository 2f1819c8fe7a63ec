"""Clients authenticate by a signature of their own key (private_key_jwt: RFC 7523, FAPI)."""

import base64
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from joserfc import jwk, jwt

from tests.commands.console import answer, run
from tests.eavesdropper import EAR
from tests.issuer.keyed import MACHINE, TYPE, Keyed, make_key, write
from tests.issuer.pair import second_instance, stop
from tests.issuer.relying_party import App
from tests.site import Site


def register(site: Site, folder: Path, *options: str, alg: str = "ES256") -> Keyed:
    key = make_key(alg)
    return Keyed(site, key, "--jwks", write(folder / "jwks.json", key), *options, alg=alg)


@pytest.fixture
def bank(site: Site, tmp_path: Path) -> Keyed:
    return register(site, tmp_path, "--grant", "device", "--grant", "authorization_code")


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256"])
def test_a_client_authenticates_by_its_key(site, tmp_path, alg):
    bank = register(site, tmp_path, alg=alg)
    assert bank.secret is None
    assert bank.asks() == (200, "")
    assert bank.asks(client_id=bank.client_id) == (200, "")


def test_a_client_uses_its_key_at_every_endpoint(bank, grace):
    token = bank.tokens(grace).access
    assert bank.is_active(token)
    assert bank.post("revoke", {"token": token}).status_code == 200
    assert not bank.is_active(token)
    pushed = bank.post("par", bank.authorization())
    assert pushed.status_code == 201
    assert bank.post("device_authorization", {"scope": "openid"}).status_code == 200


def test_a_pushed_request_keeps_nothing_of_the_assertion(bank, site):
    bank.post("par", bank.authorization())
    ((stored,),) = site.rows("SELECT parameters FROM authorization_requests")
    assert "state" in str(stored)
    assert "assertion" not in str(stored)


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: str = "") -> str:
    parts = (json.dumps(each).encode() for each in (header, claims))
    encoded = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, signature])


def by_secret(bank: Keyed, text: str) -> str:
    secret = jwk.OctKey.import_key(text)
    return jwt.encode({"alg": "HS256"}, bank.claims_now(), secret, algorithms=["HS256"])


def of_a_stranger(bank: Keyed) -> str:
    stranger = make_key()
    header = {"alg": "ES256", "kid": bank.key.kid}
    return jwt.encode(header, bank.claims_now(), stranger, algorithms=["ES256"])


BAD: dict[str, Callable[[Keyed], str]] = {
    "aud: the token endpoint": lambda bank: bank.assertion(aud=f"{bank.site.url}/oauth2/token"),
    "aud: another server": lambda bank: bank.assertion(aud="https://evil.example"),
    "aud: a slash more": lambda bank: bank.assertion(aud=f"{bank.site.url}/"),
    "aud: several": lambda bank: bank.assertion(aud=[bank.site.url, "https://evil.example"]),
    "aud: none": lambda bank: bank.assertion(aud=None),
    "exp: past": lambda bank: bank.assertion(exp=int(time.time()) - 120),
    "exp: an hour": lambda bank: bank.assertion(exp=int(time.time()) + 3600),
    "exp: none": lambda bank: bank.assertion(exp=None),
    "exp: a text": lambda bank: bank.assertion(exp="tomorrow"),
    "exp: enormous": lambda bank: bank.assertion(exp=10**400),
    "iat: in the future": lambda bank: bank.assertion(iat=int(time.time()) + 600),
    "nbf: in the future": lambda bank: bank.assertion(nbf=int(time.time()) + 600),
    "sub: none": lambda bank: bank.assertion(sub=None),
    "sub: another": lambda bank: bank.assertion(sub="0" * 32),
    "iss: none": lambda bank: bank.assertion(iss=None),
    "iss: another": lambda bank: bank.assertion(iss="0" * 32),
    "jti: none": lambda bank: bank.assertion(jti=None),
    "jti: a number": lambda bank: bank.assertion(jti=7),
    "jti: too long": lambda bank: bank.assertion(jti="x" * 257),
    "typ: an access token": lambda bank: bank.assertion({"typ": "at+jwt"}),
    "kid: unknown": lambda bank: bank.assertion({"kid": "two"}),
    "a stranger's key": of_a_stranger,
    "unsigned": lambda bank: unsigned({"alg": "none"}, bank.claims_now()),
    "signed by a secret": lambda bank: by_secret(bank, "a secret that is long enough to sign"),
    "signed by the public key": lambda bank: by_secret(
        bank, json.dumps(bank.key.as_dict(private=False))
    ),
    "altered": lambda bank: bank.assertion()[:-8] + "AAAAAAAA",
    "no JWT": lambda _bank: "frog",
    "three dots": lambda _bank: "..",
}


@pytest.mark.parametrize("name", BAD)
def test_a_faulty_assertion_is_refused(bank, name):
    answer = bank.post("token", {**MACHINE, "client_assertion": BAD[name](bank)})
    assert answer.status_code == 401, answer.text
    assert answer.json()["error"] == "invalid_client"


@pytest.mark.parametrize(
    "change",
    [
        {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"},
        {"client_assertion_type": ""},
        {"client_assertion": ""},
        {"client_id": "0" * 32},
    ],
)
def test_an_assertion_of_another_type_or_client_is_refused(bank, change):
    assert bank.asks(**change) == (401, "invalid_client")


def test_a_client_with_keys_authenticates_in_no_other_way(bank, site):
    url = f"{site.url}/oauth2/token"
    by_id = requests.post(url, data=MACHINE | {"client_id": bank.client_id}, timeout=60)
    by_secret = requests.post(url, data=MACHINE, auth=(bank.client_id, "guess"), timeout=60)
    assert [each.status_code for each in (by_id, by_secret)] == [401, 401]
    assert bank.asks(client_secret="guess") == (400, "invalid_request")
    both = bank.post("token", MACHINE, auth=(bank.client_id, "guess"))
    assert (both.status_code, both.json()["error"]) == (400, "invalid_request")


def test_a_client_without_keys_cannot_use_an_assertion(site, bank):
    for options in ((), ("--public",)):
        bank.client_id = App(site, "Notes", *options).client_id
        assert bank.asks(grant_type="refresh_token") == (401, "invalid_client")


def test_an_assertion_counts_once_however_many_come_at_the_same_time(both, tmp_path):
    bank = register(both, tmp_path)
    form = {"client_assertion": bank.assertion()}
    with ThreadPoolExecutor(20) as pool:
        statuses = sorted(pool.map(lambda _number: bank.asks(**form)[0], range(20)))
    assert statuses == [200] + [401] * 19
    assert bank.asks(**form) == (401, "invalid_client")


def test_an_assertion_that_one_instance_took_the_other_refuses(site, tmp_path):
    bank = register(site, tmp_path)
    signed = {"client_assertion_type": TYPE, "client_assertion": bank.assertion()}
    assert bank.asks(**signed) == (200, "")
    second = second_instance(site)
    with second.test_client() as client:
        refused = client.post("/oauth2/token", data=MACHINE | signed)
        assert (refused.status_code, refused.get_json()["error"]) == (401, "invalid_client")
        fresh = client.post(
            "/oauth2/token", data=MACHINE | signed | {"client_assertion": bank.assertion()}
        )
        assert fresh.status_code == 200
        EAR.learn(fresh.get_json()["access_token"])
    stop(second)


def test_two_clients_may_use_the_same_jti(site, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        bank = register(site, tmp_path / name)
        assert bank.asks(client_assertion=bank.assertion(jti="the same")) == (200, "")


def test_a_key_is_found_without_a_key_id(bank):
    assert bank.asks(client_assertion=bank.assertion({"kid": None})) == (200, "")


def test_both_documents_announce_private_key_jwt(site):
    for name in ("openid-configuration", "oauth-authorization-server"):
        document = requests.get(f"{site.url}/.well-known/{name}", timeout=60).json()
        for endpoint in ("token", "revocation", "introspection"):
            methods = document[f"{endpoint}_endpoint_auth_methods_supported"]
            assert "private_key_jwt" in methods
            algorithms = document[f"{endpoint}_endpoint_auth_signing_alg_values_supported"]
            assert algorithms == ["RS256", "PS256", "ES256"]


# The commands.


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("frog", "must be a JWK set"),
        ("[]", "must be a JWK set"),
        ('{"keys": []}', "no key"),
        (json.dumps({"keys": [make_key().as_dict(private=True)]}), "private"),
        ('{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}', "private or shared"),
        ('{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "eHh4"}]}', "no key"),
    ],
)
def test_a_faulty_key_file_is_named(site, tmp_path, text, fault):
    (tmp_path / "jwks.json").write_text(text)
    options = ("--redirect-uri", "ftp://a.example", "--jwks", str(tmp_path / "jwks.json"))
    result = run(site, "clients", "add", "Bank", *options)
    assert result.exit_code == 1
    assert fault in result.stderr
    assert "ftp://a.example" in result.stderr
    assert answer(site, "clients", "list")["items"] == []


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["--jwks", "/nowhere/jwks.json"], "--jwks: must be a JWK set"),
        (["--jwks-uri", "http://bank.example/jwks"], "use https"),
        (["--jwks-uri", "frog"], "--jwks-uri frog"),
        (["--public", "--jwks-uri", "https://bank.example/jwks"], "a public client"),
        (["--jwks", "/nowhere", "--jwks-uri", "https://bank.example/jwks"], "one of them"),
    ],
)
def test_faulty_key_options_are_refused_with_their_fault(site, options, fault):
    result = run(site, "clients", "add", "Bank", "--redirect-uri", "https://a.example", *options)
    assert result.exit_code == 1
    assert fault in result.stderr


def test_keys_take_the_place_of_a_secret(site, tmp_path):
    app = App(site, "Bank", "--grant", "client_credentials")
    assert app.token(**MACHINE).status == 200
    key = make_key()
    changed = answer(
        site, "clients", "set", app.client_id, "--jwks", write(tmp_path / "jwks.json", key)
    )
    assert changed["token_endpoint_auth_method"] == "private_key_jwt"
    assert changed["jwks"]["keys"][0]["kid"] == "one"
    assert app.token(**MACHINE).error == "invalid_client"
    refused = run(site, "clients", "rotate-secret", app.client_id)
    assert "authenticates by its keys" in refused.stderr
    assert "1 in a file" in run(site, "clients", "show", app.client_id).stdout
    uri = "https://bank.example/jwks"
    changed = answer(site, "clients", "set", app.client_id, "--jwks-uri", uri)
    assert (changed["jwks"], changed["jwks_uri"]) == (None, uri)
    answer(site, "clients", "set", app.client_id, "--jwks-uri", "")
    assert app.token(**MACHINE).error == "invalid_client"  # the old secret stays dead
    app.secret = answer(site, "clients", "rotate-secret", app.client_id)["client_secret"]
    assert app.token(**MACHINE).status == 200


def test_adding_a_client_with_keys_prints_no_secret(site, bank):
    assert "client_secret" not in bank.registered
    assert bank.registered["client"]["token_endpoint_auth_method"] == "private_key_jwt"
    assert site.rows("SELECT secret_hash FROM clients") == [(None,)]
