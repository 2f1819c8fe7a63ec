"""Issuers, keys and id_tokens that tests sign themselves."""

import base64
import json
import re
import time
import warnings
from functools import cache
from typing import Any, NamedTuple

import pytest
from hypothesis import strategies as st
from joserfc import jwk, jws
from joserfc.errors import SecurityWarning

from errors import ProviderError
from keys.jwt import VerifiedClaims
from providers.protocols.upstream_issuer import UpstreamIssuer
from tests.browser import Page

# One of each kind; tests/providers/http covers the others.
SOME_ODD_ANSWERS = ["hang_up", "html", "list", "huge", "status_500", "refuses_client"]


def assert_refused(page: Page, status: int = 502, title: str = "") -> None:
    """The sign-in page with the reason and another way to go on."""
    assert page.status == status, page
    assert page.alert == (title or "Google couldn't complete the sign-in")
    assert re.search(r"Reference [2-9A-Z]{4}-[2-9A-Z]{4}", page.text)
    assert page.buttons


ISSUER = "https://issuer.example"
CLIENT_ID, NONCE, ACCESS_TOKEN = "our-client", "of-this-flow", "an-access-token"


class Signer(NamedTuple):
    algorithm: str
    key: jwk.Key


@cache
def key(kind: str) -> Any:
    """A key pair, cached because making RSA keys is slow."""
    family, _, size = kind.partition(" ")
    match family:
        case "RSA":
            with warnings.catch_warnings(action="ignore", category=SecurityWarning):
                return jwk.RSAKey.generate_key(int(size or 2048), {"kid": kind})
        case "EC":
            return jwk.ECKey.generate_key(size, {"kid": kind})
        case "OKP":
            return jwk.OKPKey.generate_key(size, {"kid": kind})  # type: ignore[arg-type]
        case _:
            return jwk.OctKey.generate_key(512, {"kid": kind})


def public(*keys: jwk.Key) -> dict[str, Any]:
    return {"keys": [each.as_dict(private=False) for each in keys]}


def metadata_of(url: str) -> dict[str, Any]:
    return {
        "issuer": url,
        "authorization_endpoint": f"{url}/authorize",
        "token_endpoint": f"{url}/token",
        "userinfo_endpoint": f"{url}/userinfo",
        "jwks_uri": f"{url}/keys",
    }


def issuer_with(key_set: Any, url: str = ISSUER, aliases: tuple[str, ...] = ()) -> UpstreamIssuer:
    """An issuer that publishes these keys; any other request fails."""
    pages = {f"{url}/.well-known/openid-configuration": metadata_of(url), f"{url}/keys": key_set}
    return UpstreamIssuer(url, pages.__getitem__, aliases)


def good_claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": CLIENT_ID, "sub": "1", "nonce": NONCE}
    return {**claims, "iat": now, "exp": now + 300, **changes}


def segment(data: object) -> bytes:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def sign(claims: object, signer: Signer | None = None, **header: Any) -> str:
    """A correctly signed JWT with exactly this header and content."""
    algorithm, private = signer or Signer("RS256", key("RSA"))
    header = {"alg": algorithm, "kid": private.kid, **header}
    header = {name: value for name, value in header.items() if value is not None}
    signed = segment(header) + b"." + segment(claims)
    model = jws.JWSRegistry.algorithms[algorithm]
    return (signed + b"." + segment(model.sign(signed, private))).decode()


def check(issuer: UpstreamIssuer, token: object) -> VerifiedClaims:
    return issuer.verify_id_token(
        token, client_id=CLIENT_ID, nonce=NONCE, access_token=ACCESS_TOKEN
    )


def assert_not_believed(token: object, *keys: jwk.Key) -> None:
    with pytest.raises(ProviderError):
        check(issuer_with(public(*(keys or [key("RSA")]))), token)


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
