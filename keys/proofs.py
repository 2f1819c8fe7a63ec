"""Proofs of possession: a JWT that carries the public key it is signed with (RFC 9449 4.2)."""

from collections.abc import Sequence
from typing import Any

from errors import IdTokenRefused, ProviderError
from keys.jwk_set import Key, import_jwk_set
from keys.jwt import read_segment, require, verify_signature

TYPE = "dpop+jwt"
ALGORITHMS = ("ES256", "EdDSA")
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class _OwnKey:
    """The one key of a proof."""

    def __init__(self, jwk: dict[str, Any]) -> None:
        (self.published,) = import_jwk_set({"keys": [jwk]})

    def candidates(self, _kid: str | None, algorithm: str) -> Sequence[Key]:
        return [self.published.key] if algorithm in self.published.algorithms else []

    def newer_candidates(self, _kid: str | None, _algorithm: str) -> Sequence[Key]:
        return []


def verify_proof(proof: str) -> tuple[dict[str, Any], str]:
    """Verify the signature of a proof; return its claims and the thumbprint (RFC 7638) of its key.

    Raises IdTokenRefused.
    """
    unverified_header = read_segment(proof, 0, "header")
    require(unverified_header.get("typ") == TYPE, "typ is another")
    jwk = unverified_header.get("jwk")
    if not isinstance(jwk, dict) or PRIVATE_MEMBERS & set(jwk):
        raise IdTokenRefused("jwk is no public key")
    try:
        key = _OwnKey(jwk)
    except ProviderError as error:
        raise IdTokenRefused(error.detail) from error
    claims, _ = verify_signature(proof, key, ALGORITHMS)
    return claims, key.published.key.thumbprint()
