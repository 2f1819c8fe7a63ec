"""The programs of docs/integrate/gate-assertion.md let in who came through the gate, and nobody
with one of a dozen bad assertions."""

import base64
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from joserfc import jwk, jwt

from issuer.signing_keys import key_ring
from tests.processes import free_port
from tests.site import Site
from tests.system.clients import pages
from tests.system.clients.programs import Serve

ORIGIN = "https://wiki.example.org"
HEADER = "X-Auth-Request-Assertion"


def encode(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def assertion(site: Site, typ: str = "gate+jwt", algorithm: str = "ES256", **changed: Any) -> str:
    """What the gate makes; or, with its key, what it never makes. None leaves a claim out."""
    moment = int(time.time())
    claims = {
        "iss": site.url,
        "aud": ORIGIN,
        "sub": "7d0f",
        "groups": [],
        "provider": "google",
        "iat": moment,
        "exp": moment + 60,
        "jti": "1",
        **changed,
    }
    known = {name: value for name, value in claims.items() if value is not None}
    return str(site.inside(lambda: key_ring().sign(algorithm, known, typ)))


def bad_assertions(site: Site, good: str) -> dict[str, str | None]:
    """A dozen that a careless application takes."""
    head, body, signature = good.split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    strange = jwk.ECKey.generate_key("P-256")

    def signed(key: jwk.Key, **changed: Any) -> str:
        made = {**header, **changed}
        return jwt.encode(made, claims, key, algorithms=[made["alg"]])

    keys = requests.get(f"{site.url}/oauth2/jwks", timeout=30).json()["keys"]
    public = json.dumps(next(key for key in keys if key["kid"] == header["kid"])).encode()
    return {
        "none": None,
        "empty": "",
        "rubbish": "frog",
        "for another host": assertion(site, aud="https://photos.example.org"),
        "for another port": assertion(site, aud=f"{ORIGIN}:8443"),
        "of another issuer": assertion(site, iss="https://evil.example"),
        "expired": assertion(site, exp=int(time.time()) - 3600),
        "without an end": assertion(site, exp=None),
        "an ID token": assertion(site, "JWT"),
        "an access token": assertion(site, "at+jwt"),
        "by another algorithm": assertion(site, algorithm="RS256"),
        "unsigned": f"{encode({**header, 'alg': 'none'})}.{body}.",
        "signed with the public key": signed(jwk.OctKey.import_key(public), alg="HS256"),
        "of a stranger's key with our key's name": signed(strange),
        "of an unknown key": signed(strange, kid="unknown"),
        "changed": f"{head}.{encode({**claims, 'sub': 'root'})}.{signature}",
    }


@pytest.mark.parametrize("kind", ["flask", "fastapi", "express"])
def test_an_application_of_the_docs_takes_no_bad_assertion(
    kind: str, site: Site, serve: Serve, tmp_path: Path
) -> None:
    good = assertion(site)
    port = free_port()
    pages.write_files("gate-assertion", tmp_path)
    serve(kind, f"{kind}_app", port, ISSUER=site.url, ORIGIN=ORIGIN)

    def ask(token: str | None) -> requests.Response:
        headers = {} if token is None else {HEADER: token}
        return requests.get(f"http://127.0.0.1:{port}/", headers=headers, timeout=30)

    assert ask(good).json() == {"hello": "7d0f"}
    bad = bad_assertions(site, good)
    assert {name: ask(token).status_code for name, token in bad.items()} == dict.fromkeys(bad, 403)
