"""The APIs of docs/integrate/protect-an-api.md take good tokens, and none of a dozen bad ones."""

import base64
import json
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from joserfc import jwk, jwt

from issuer.signing_keys import key_ring
from tests.browser import Browser
from tests.commands.console import answer
from tests.issuer.relying_party import App
from tests.processes import free_port
from tests.site import Site
from tests.system.clients import pages
from tests.system.clients.programs import Serve

API = "https://api.example.org"
OTHER = "https://other.example.org"
BOTH = ("signature", "introspection")
BY_SIGNATURE = {
    "flask": "from tokens import API, ISSUER, Refused, check",
    "fastapi": "from tokens import API, ISSUER, Refused, check",
    "express": 'import { check } from "./tokens.mjs";',
}
BY_INTROSPECTION = {
    "flask": "from tokens import API, ISSUER, Refused\nfrom introspection import check",
    "fastapi": "from tokens import API, ISSUER, Refused\nfrom introspection import check",
    "express": 'import { check } from "./introspection.mjs";',
}


def encode(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def signed_by(key: jwk.Key, header: dict[str, Any], claims: Mapping[str, Any]) -> str:
    return jwt.encode(header, dict(claims), key, algorithms=[header["alg"]])


def bad_tokens(photos: App, browser: Browser, good: str) -> dict[str, str]:
    """A dozen that a careless API takes."""
    header, claims = photos.header(good), photos.claims(good)

    def ours(typ: str = "at+jwt", **changed: Any) -> str:
        """Sign with the key of the site itself, which has issued no such token."""
        changed = {"jti": secrets.token_hex(16), **changed}
        made = {name: value for name, value in (claims | changed).items() if value is not None}
        return str(photos.site.inside(lambda: key_ring().sign("RS256", made, typ)))

    public = json.dumps(photos.keys().as_dict(private=False)["keys"][0]).encode()
    head, body, signature = good.split(".")
    other = photos.tokens(browser, scope="openid photos.read", resource=OTHER)
    strange = jwk.RSAKey.generate_key(2048)
    return {
        "rubbish": "frog",
        "opaque, for userinfo": photos.tokens(browser).access,
        "an ID token": str(other.document["id_token"]),
        "for another API": other.access,
        "of another issuer": ours(iss="https://evil.example"),
        "expired": ours(exp=int(time.time()) - 3600),
        "without an end": ours(exp=None),
        "of another type": ours("JWT"),
        "unsigned": f"{encode(header | {'alg': 'none'})}.{body}.",
        "signed with the public key": signed_by(
            jwk.OctKey.import_key(public), header | {"alg": "HS256"}, claims
        ),
        "of a stranger's key with our key's name": signed_by(strange, header, claims),
        "of an unknown key": signed_by(strange, header | {"kid": "unknown"}, claims),
        "changed": f"{head}.{encode(claims | {'sub': 'somebody else'})}.{signature}",
    }


@pytest.mark.parametrize("kind", BY_SIGNATURE)
def test_an_api_of_the_docs_takes_no_bad_token(
    kind: str, site: Site, grace: Browser, serve: Serve, tmp_path: Path
) -> None:
    server = App(site, "The API", "--grant", "client_credentials")
    scopes = ("--scope", "photos.read", "--scope", "photos.write")
    answer(site, "resources", "add", API, *scopes, "--client", server.client_id)
    answer(site, "resources", "add", OTHER, *scopes)
    photos = App(site, "Photos", "--resource", API, "--resource", OTHER)
    good = photos.tokens(grace, scope="openid photos.read", resource=API).access
    weak = photos.tokens(grace, scope="openid photos.write", resource=API).access
    bad = bad_tokens(photos, grace, good)
    assert len(bad) >= 12
    urls = {way: start_api(serve, tmp_path / way, kind, way, server=server) for way in BOTH}

    def ask(url: str, authorization: str | None) -> requests.Response:
        headers = {} if authorization is None else {"Authorization": authorization}
        return requests.get(f"{url}/photos", headers=headers, timeout=30)

    for url in urls.values():
        assert ask(url, f"Bearer {good}").json() == {"photos_of": grace.user_id}
        statuses = {name: ask(url, f"Bearer {token}").status_code for name, token in bad.items()}
        assert statuses == dict.fromkeys(bad, 401)
        refused = ask(url, None)
        assert (refused.status_code, ask(url, f"Basic {good}").status_code) == (401, 401)
        assert refused.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token"')
        assert ask(url, f"Bearer {weak}").status_code == 403
    grace.sign_out()
    after = {way: ask(url, f"Bearer {good}").status_code for way, url in urls.items()}
    assert after == {"signature": 200, "introspection": 401}


def start_api(serve: Serve, folder: Path, kind: str, way: str, *, server: App) -> str:
    port = free_port()
    folder.mkdir()
    pages.write_files("protect-an-api", folder)
    name = f"{kind}_api"
    program = folder / (f"{name}.mjs" if kind == "express" else f"{name}.py")
    assert BY_SIGNATURE[kind] in program.read_text()
    if way == "introspection":
        text = program.read_text().replace(BY_SIGNATURE[kind], BY_INTROSPECTION[kind])
        program.write_text(text)
    settings = {"ISSUER": server.site.url, "API": API, "CLIENT_ID": server.client_id}
    serve(kind, name, port, folder, **settings, CLIENT_SECRET=server.secret or "")
    return f"http://127.0.0.1:{port}"
