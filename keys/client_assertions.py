"""Client assertions: a JWT with which a client authenticates, instead of a secret (RFC 7523 3)."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from errors import IdTokenRefused, ProviderError
from keys.jwk_set import PublishedKey, find_candidates, import_jwk_set
from keys.jwt import LEEWAY_SECONDS, Keys, number, read_segment, require, verify_signature
from keys.proofs import PRIVATE_MEMBERS

# FAPI 2.0 5.4 and what Core 15.1 wants; never none, never a shared secret.
ALGORITHMS = ("RS256", "PS256", "ES256")
# RFC 7519 5.1, and the type that draft-ietf-oauth-rfc7523bis adds.
TYPES = frozenset({"jwt", "client-authentication+jwt"})
MAX_SECONDS = 300
JTI_MAX_CHARACTERS = 256
KEYS_MAX = 20


def named_client(unverified_assertion: str) -> str | None:
    """Return the client that an assertion is about; its signature is not looked at."""
    try:
        sub = read_segment(unverified_assertion, 1, "claims").get("sub")
    except IdTokenRefused:
        return None
    return sub if isinstance(sub, str) else None


def verify_client_assertion(
    assertion: str, keys: Keys, client_id: str, audience: str
) -> dict[str, Any]:
    """Verify an assertion of this client for this audience; return its claims.

    It may still have been used before. Raises IdTokenRefused, and what ``keys`` raises.
    """
    kind = read_segment(assertion, 0, "header").get("typ", "JWT")
    require(isinstance(kind, str) and kind.lower() in TYPES, "typ is another")
    claims, _ = verify_signature(assertion, keys, ALGORITHMS)
    require(claims.get("iss") == client_id, "iss is not the client")
    require(claims.get("sub") == client_id, "sub is not the client")
    # A list could name other servers too, which could then use the assertion here.
    require(claims.get("aud") == audience, "aud is not our issuer identifier, as a text")
    jti = claims.get("jti")
    is_text = isinstance(jti, str) and 0 < len(jti) <= JTI_MAX_CHARACTERS
    require(is_text, "jti is not a text of usual length")
    _check_times(claims)
    return claims


def _check_times(claims: Mapping[str, Any]) -> None:
    """Compare only: an integer of a client's may be too large to compute with."""
    now = time.time()
    expires = number(claims, "exp")
    require(expires > now - LEEWAY_SECONDS, "it has expired")
    require(expires <= now + MAX_SECONDS + LEEWAY_SECONDS, "it lasts longer than five minutes")
    for name in ("iat", "nbf"):
        if name in claims:
            require(number(claims, name) < now + LEEWAY_SECONDS, f"{name} is in the future")


def import_client_keys(document: object) -> tuple[PublishedKey, ...]:
    """Import a client's keys. Raises ProviderError if none of them can verify an assertion."""
    usable = frozenset(ALGORITHMS)
    found = tuple(each for each in import_jwk_set(document) if each.algorithms & usable)
    if not found:
        raise ProviderError(f"the key set holds no key for {', '.join(ALGORITHMS)}")
    return found[:KEYS_MAX]


def jwk_set_fault(document: object) -> str | None:
    """Return what is wrong with a JWK set that a client registers (RFC 7591 2)."""
    rows = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return "must be a JWK set: a JSON object with keys"
    if any(PRIVATE_MEMBERS & set(row) for row in rows):
        return "holds a private or shared key; give the public part alone"
    if len(rows) > KEYS_MAX:
        return f"holds more than {KEYS_MAX} keys"
    try:
        import_client_keys(document)
    except ProviderError as error:
        return error.detail
    return None


class FixedKeys:
    """The keys of a client, for verification (keys.jwt.Keys)."""

    def __init__(self, keys: Sequence[PublishedKey]) -> None:
        self._keys = keys

    def candidates(self, kid: str | None, algorithm: str) -> Sequence[Any]:
        return find_candidates(self._keys, kid, algorithm)

    def newer_candidates(self, _kid: str | None, _algorithm: str) -> Sequence[Any]:
        return []
