"""Checks of an id_token's claims, besides signature and times (``keys.jwt``).

https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
"""

import base64
import hashlib
import time
from collections.abc import Mapping
from typing import Any

from errors import NotAllowed, NotFresh, ProviderError
from keys.jwt import LEEWAY_SECONDS, equal, quoted, require

# Maximum age of auth_time after a reauthentication.
FRESH_SECONDS = 300


def check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    """OpenID Connect Core 3.1.3.7, errata 2: of several clients too, azp may be missing."""
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    require(client_id in audiences, f"aud is another client: {quoted(audience)}")
    authorized = claims.get("azp", client_id)
    require(authorized == client_id, f"azp is another client: {quoted(authorized)}")


def left_half_hash(text: str, algorithm: str) -> str:
    """Compute at_hash and c_hash (OpenID Connect Core 3.1.3.6); EdDSA means Ed25519, so SHA-512."""
    bits = "512" if algorithm == "EdDSA" else algorithm[-3:]
    digest = hashlib.new(f"sha{bits}", text.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def check_hosted_domain(claims: Mapping[str, Any], domain: str | None) -> None:
    """Raise NotAllowed for an account of another domain than the settings admit."""
    if domain and claims.get("hd") != domain:
        raise NotAllowed("the account is of another domain", email=str(claims.get("email", "")))


def check_fresh(claims: Mapping[str, Any], *, required: bool) -> None:
    """Raise NotFresh unless the person authenticated just now, as far as the id_token says;
    ``required``: it must say so, because max_age was sent (OpenID Connect Core 3.1.2.1).

    The browser carries the request to the issuer, so its user can remove prompt=login or max_age.
    """
    if "auth_time" not in claims and not required:
        return
    proved, now = claims.get("auth_time"), time.time()
    is_number = isinstance(proved, int | float) and not isinstance(proved, bool)
    if not is_number or not now - FRESH_SECONDS < proved < now + LEEWAY_SECONDS:  # type: ignore[operator]
        raise NotFresh("the id_token tells of no proof of the last minutes")


def check_userinfo(answer: object, subject: str) -> Mapping[str, Any]:
    """Return userinfo if it is of the id_token's person (OpenID Connect Core 5.3.2).

    Raises ProviderError otherwise: claims of another sub must not be used.
    """
    if not isinstance(answer, dict) or not equal(answer.get("sub"), subject):
        raise ProviderError("userinfo is of another subject")
    return answer
