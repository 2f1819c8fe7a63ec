"""Signed tokens (RFC 7515, 7519): verification of signature and times, and the keys for it.

Any fault of a token raises IdTokenRefused. If the keys cannot be fetched, the issuer or the network
is at fault: ProviderError, ProviderDown.
"""

import base64
import binascii
import hmac
import json
import time
from collections.abc import Collection, Mapping
from typing import Any, NewType, Protocol

from joserfc import jwk, jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError

from errors import IdTokenRefused, ProviderError

# Signatures that an issuer's published key can verify. Never none, never a shared secret.
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
LEEWAY_SECONDS = 60
ID_TOKEN_MAX_CHARACTERS = 64 * 1024
RSA_MIN_BITS = 2048

Key = jwk.Key
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
    """An issuer's keys, by id; without an id, the only one."""

    def key(self, kid: str | None) -> Key:
        """Return a key. Raises ProviderError, and IdTokenRefused for an unknown id."""


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
    require(isinstance(algorithm, str) and algorithm in algorithms, "alg is not allowed")
    # RFC 7515 4.1.11: every critical extension must be understood, and we understand none.
    require("crit" not in unverified_header, "crit is not understood")
    kid = unverified_header.get("kid")
    require(kid is None or isinstance(kid, str), "kid is not a string")
    key = keys.key(kid)
    try:
        signed = jws.deserialize_compact(unverified_token, key, registry=REGISTRY)
        claims = json.loads(signed.payload or b"")
    except (JoseError, ValueError, RecursionError, TypeError) as error:
        raise IdTokenRefused(f"the id_token does not hold: {type(error).__name__}") from error
    if not isinstance(claims, dict):
        raise IdTokenRefused("the id_token's claims are not an object")
    return claims, str(algorithm)


def read_segment(unverified_token: str, number: int, name: str) -> dict[str, Any]:
    """Decode the header (0) or the claims (1) of an unverified token."""
    try:
        segment = unverified_token.split(".", 2)[number]
        value = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (ValueError, binascii.Error, IndexError, RecursionError) as error:
        raise IdTokenRefused("the id_token is not a JWT") from error
    if not isinstance(value, dict):
        raise IdTokenRefused(f"the id_token's {name} is not an object")
    return value


def require(holds: bool, otherwise: str) -> None:
    """Raise IdTokenRefused with the reason ``otherwise``, unless ``holds``."""
    if not holds:
        raise IdTokenRefused(f"the id_token was refused: {otherwise}")


def equal(value: object, expected: str) -> bool:
    """Compare a claim with a text in constant time."""
    # JSON can contain a lone surrogate, which plain UTF-8 cannot.
    return isinstance(value, str) and hmac.compare_digest(
        value.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass")
    )


def check_times(claims: Mapping[str, Any]) -> None:
    """Check that the token is neither expired nor from the future, within a minute (RFC 7519 4.1.4,
    4.1.6)."""
    now = time.time()
    expires, issued = number(claims, "exp"), number(claims, "iat")
    # Written so that NaN fails.
    require(bool(expires > now - LEEWAY_SECONDS), "it has expired")
    require(bool(issued < now + LEEWAY_SECONDS), "it is from the future")


def number(claims: Mapping[str, Any], name: str) -> float:
    """Return a claim that must be a number, such as a time (RFC 7519 2, NumericDate)."""
    value = claims.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    require(is_number, f"{name} is not a number")
    return value  # type: ignore[return-value]


def import_jwk_set(answer: object) -> dict[str, Key]:
    """Import the signing keys of a JWK set (RFC 7517) by key id; unknown key types are skipped."""
    rows = answer.get("keys") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise ProviderError("the key set is not one")
    keys: dict[str, Key] = {}
    for row in rows:
        if not isinstance(row, dict) or row.get("use", "sig") != "sig":
            continue
        if row.get("kty") not in ("RSA", "EC", "OKP"):
            continue
        key = _import_key(row)
        if key is not None:
            kid = row.get("kid")
            keys[kid if isinstance(kid, str) else key.thumbprint()] = key
    if not keys:
        raise ProviderError("the key set holds no key that can check a signature")
    return keys


def import_certificates(answer: object) -> dict[str, Key]:
    """Import the RSA keys of a map from key id to X.509 certificate (PEM), as Google publishes
    them."""
    rows = answer if isinstance(answer, dict) else {}
    pems = {kid: pem for kid, pem in rows.items() if isinstance(pem, str) and "CERTIFICATE" in pem}
    imported = {kid: _import_key(pem, "RSA") for kid, pem in pems.items()}
    keys = {kid: key for kid, key in imported.items() if key is not None}
    if not keys:
        raise ProviderError("the certificate map holds no key that can check a signature")
    return keys


def _import_key(value: Any, kind: Any = None) -> Key | None:
    """Import a key; None for an unknown type, or a key that is too short."""
    try:
        key = jwk.import_key(value, kind)
    except (JoseError, ValueError, TypeError, KeyError):  # KeyError: an unknown curve
        return None
    is_weak = isinstance(key, jwk.RSAKey) and key.raw_value.key_size < RSA_MIN_BITS
    return None if is_weak else key
