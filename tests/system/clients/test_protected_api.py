"""The check of docs/integrate/apps.md that protects an API accepts our tokens and no others."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from issuer import signing_keys
from tests.browser import Browser
from tests.commands.console import answer
from tests.issuer.relying_party import App
from tests.site import Site

PAGE = Path(__file__).parents[3] / "docs" / "integrate" / "apps.md"
API = "https://api.example.org"
SCOPE = "photos.read"


@pytest.fixture
def check(site: Site) -> Callable[[str, jwk.KeySet, str], dict[str, Any]]:
    """The function of the page, for this site."""
    (block,) = [
        each
        for each in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
        if "def check(" in each
    ]
    names: dict[str, Any] = {}
    exec(block.replace("https://login.example.org", site.url), names)
    return names["check"]  # type: ignore[no-any-return]


@pytest.fixture
def photos(site: Site) -> App:
    answer(site, "resources", "add", API, "--scope", SCOPE, "--scope", "photos.write")
    answer(site, "resources", "add", f"{API}/other", "--scope", SCOPE)
    return App(site, "Photos", "--resource", API, "--resource", f"{API}/other")


def test_the_check_of_the_docs_accepts_a_token_for_its_api(
    site: Site, photos: App, grace: Browser, check: Callable[..., dict[str, Any]]
) -> None:
    token = photos.tokens(grace, scope=f"openid {SCOPE}", resource=API).access
    assert check(token, photos.keys(), SCOPE)["sub"] == grace.user_id


def test_the_check_of_the_docs_refuses_twelve_bad_tokens(
    site: Site, photos: App, grace: Browser, check: Callable[..., dict[str, Any]]
) -> None:
    tokens = photos.tokens(grace, scope=f"openid {SCOPE}", resource=API)
    good, id_token = tokens.access, tokens.document["id_token"]
    claims = photos.claims(good)
    other = photos.tokens(grace, scope=f"openid {SCOPE}", resource=f"{API}/other").access
    narrow = photos.tokens(grace, scope="openid photos.write", resource=API).access
    opaque = photos.tokens(grace, scope="openid").access
    stranger = jwk.RSAKey.generate_key(2048)

    def ours(changed: dict[str, Any], kind: str = "at+jwt") -> str:
        content = {name: value for name, value in (claims | changed).items() if value is not None}
        return str(site.inside(lambda: signing_keys.key_ring().sign("RS256", content, kind)))

    header = {"alg": "RS256", "typ": "at+jwt", "kid": photos.header(good)["kid"]}
    bad = {
        "another API's": other,
        "another scope": narrow,
        "an ID token": id_token,
        "opaque": opaque,
        "no token": "frog",
        "altered": f"{good[:-8]}AAAAAAAA",
        "unsigned": f"{good.rpartition('.')[0]}.",
        "of another issuer": ours({"iss": "https://evil.example"}),
        "expired": ours({"exp": int(time.time()) - 3600}),
        "without expiry": ours({"exp": None}),
        "without subject": ours({"sub": None}),
        "of a stranger's key": jwt.encode(header, claims, stranger),
        "of another type": ours({}, "JWT"),
    }
    keys = photos.keys()
    assert check(ours({}), keys, SCOPE)
    for name, token in bad.items():
        with pytest.raises((JoseError, ValueError, KeyError)):
            pytest.fail(name) if check(token, keys, SCOPE) else None
