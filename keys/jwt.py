"""Signed tokens (RFC 7515, 7519): verification of signature and times.

Any fault of a token raises IdTokenRefused. If the keys cannot be fetched, the issuer or the network
is at fault: ProviderError, ProviderDown.
"""

import base64
import hmac
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NewType, Protocol

from joserfc import jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError

from errors import IdTokenRefused
from keys.jwk_set import ALGORITHMS, Key
from keys.strict_json import InvalidJSON, parse_strict_json

LEEWAY_SECONDS = 60
ID_TOKEN_MAX_CHARACTERS = 64 * 1024
# RFC 7516 3.1: an encrypted token has five parts, a signed one three.
SIGNED_PARTS, ENCRYPTED_PARTS = 3, 5

VerifiedClaims = NewType("VerifiedClaims", dict[str, Any])


class _Registry(jws.JWSRegistry):
    max_header_length = 8192

    def get_alg(self, name: str) -> Any:
        """Return the algorithm, without joserfc's warning at EdDSA: RFC 9864 renames it, issuers
        still use it."""
        if name not in ALGORITHMS:
            raise UnsupportedAlgorithmError(name)
        return self.algorithms[name]


# Unknown header parameters are ignored.
REGISTRY = _Registry(strict_check_header=False)


class Keys(Protocol):
    """An issuer's keys, by what a token's header says of its own."""

    def candidates(self, kid: str | None, algorithm: str) -> Sequence[Key]:
        """Return the keys that can have signed such a token, if any. Raises ProviderError."""

    def newer_candidates(self, kid: str | None, algorithm: str) -> Sequence[Key]:
        """Fetch the keys again, then do the same. Raises ProviderError."""


def verify_signature(
    unverified_token: object, keys: Keys, algorithms: Collection[str] = ALGORITHMS
) -> tuple[dict[str, Any], str]:
    """Verify the signature with one of these keys; return the claims and the algorithm.

    The key comes from the key set, and the algorithm must be in our list. Nothing else of the
    token's header than its key id and algorithm name is read. Raises ProviderError.
    """
    if not isinstance(unverified_token, str):
        raise IdTokenRefused("the answer holds no id_token")
    require(len(unverified_token) <= ID_TOKEN_MAX_CHARACTERS, "it is too long")
    unverified_header = read_segment(unverified_token, 0, "header")
    algorithm = unverified_header.get("alg")
    is_allowed = isinstance(algorithm, str) and algorithm in algorithms
    require(is_allowed, f"alg is not allowed: {ascii(algorithm)[:20]}")
    # RFC 7515 4.1.11: every critical extension must be understood, and we understand none.
    require("crit" not in unverified_header, "crit is not understood")
    kid = unverified_header.get("kid")
    require(kid is None or isinstance(kid, str), "kid is not a string")
    try:
        compact = jws.extract_compact(unverified_token.encode(), registry=REGISTRY)
        _check_signature(compact, keys, kid, str(algorithm))
    except (JoseError, ValueError, TypeError) as error:
        raise IdTokenRefused(f"the id_token does not hold: {type(error).__name__}") from error
    return _parse_object(compact.payload or b"", "claims"), str(algorithm)


def _check_signature(
    compact: jws.CompactSignature, keys: Keys, kid: str | None, algorithm: str
) -> None:
    """Raise IdTokenRefused unless one of the keys that can have signed the token did.

    Without a match the keys are fetched again: an issuer may reuse the id of an old key, or give
    its keys no id.
    """
    tried = keys.candidates(kid, algorithm)
    if _is_signed(compact, tried):
        return
    newer = [key for key in keys.newer_candidates(kid, algorithm) if key not in tried]
    if _is_signed(compact, newer):
        return
    said = f"kid {ascii(kid)[:80]}, {algorithm}"
    if tried or newer:
        raise IdTokenRefused(f"the id_token's signature is not of the issuer's key ({said})")
    raise IdTokenRefused(f"the id_token is signed with a key the issuer does not publish ({said})")


def _is_signed(compact: jws.CompactSignature, keys: Sequence[Key]) -> bool:
    return any(jws.validate_compact(compact, key, registry=REGISTRY) for key in keys)


def read_segment(unverified_token: str, number: int, name: str) -> dict[str, Any]:
    """Decode the header (0) or the claims (1) of an unverified token."""
    parts = unverified_token.split(".", ENCRYPTED_PARTS)
    if len(parts) == ENCRYPTED_PARTS:
        raise IdTokenRefused("the id_token is encrypted, and only signed ones are read here")
    if len(parts) != SIGNED_PARTS:
        raise IdTokenRefused("the id_token is not a JWT")
    segment = parts[number]
    try:
        data = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError as error:
        raise IdTokenRefused("the id_token is not a JWT") from error
    return _parse_object(data, name)


def _parse_object(data: bytes, name: str) -> dict[str, Any]:
    try:
        value = parse_strict_json(data)
    except InvalidJSON as error:
        raise IdTokenRefused(f"the id_token's {name} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise IdTokenRefused(f"the id_token's {name}: not an object")
    return value


def require(holds: bool, otherwise: str) -> None:
    """Raise IdTokenRefused with the reason ``otherwise``, unless ``holds``."""
    if not holds:
        raise IdTokenRefused(f"the id_token was refused: {otherwise}")


def quoted(value: object) -> str:
    """Write a value of another party for the log: printable ASCII, of limited length."""
    return ascii(value)[:200]


def equal(value: object, expected: str) -> bool:
    """Compare a claim with a text in constant time."""
    # JSON can contain a lone surrogate, which plain UTF-8 cannot.
    return isinstance(value, str) and hmac.compare_digest(
        value.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass")
    )


def check_times(claims: Mapping[str, Any]) -> None:
    """Check that the token is neither expired nor from the future, within a minute (RFC 7519 4.1.4
    to 4.1.6)."""
    now = time.time()
    expires, issued = number(claims, "exp"), number(claims, "iat")
    require(expires > now - LEEWAY_SECONDS, "it has expired")
    require(issued < now + LEEWAY_SECONDS, "it is from the future")
    if "nbf" in claims:
        begins = number(claims, "nbf")
        require(begins < now + LEEWAY_SECONDS, "it is not valid yet (nbf)")


def number(claims: Mapping[str, Any], name: str) -> float:
    """Return a claim that must be a number, such as a time (RFC 7519 2, NumericDate)."""
    value = claims.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    require(is_number, f"{name} is not a number")
    return value  # type: ignore[return-value]
