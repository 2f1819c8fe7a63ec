"""Signed tokens (RFC 7515, 7519): the check of signature and times, and the keys for it.

Whatever is wrong with a token raises IdTokenRefused. Where the keys cannot be had, that is the
issuer's fault or the network's: ProviderError, ProviderDown.
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

# Signatures that an issuer's published key can check. Never none, never a shared secret.
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
        """Without a warning at each EdDSA token: RFC 9864 renames it, issuers still say it."""
        if name not in ALGORITHMS:
            raise UnsupportedAlgorithmError(name)
        return self.algorithms[name]


# Header parameters of other makers are let by unread.
REGISTRY = _Registry(strict_check_header=False)


class Keys(Protocol):
    """An issuer's keys: the one of an id; without an id, the only one."""

    def key(self, kid: str | None) -> Key:
        """Raises ProviderError, and IdTokenRefused for an unknown id."""


def verify_signature(
    unverified_token: object, keys: Keys, algorithms: Collection[str] = ALGORITHMS
) -> tuple[dict[str, Any], str]:
    """The claims of a token that one of these keys signed, and the algorithm.

    Key and algorithm come from the key set and our list; nothing in the token's header but
    its key id and the name of its algorithm is ever looked at. Raises ProviderError.
    """
    if not isinstance(unverified_token, str):
        raise IdTokenRefused("the answer holds no id_token")
    require(len(unverified_token) <= ID_TOKEN_MAX_CHARACTERS, "it is too long")
    unverified_header = read_segment(unverified_token, 0, "header")
    algorithm = unverified_header.get("alg")
    require(isinstance(algorithm, str) and algorithm in algorithms, "alg is not allowed")
    # RFC 7515 4.1.11: what is in it must be understood, and nothing that could be is.
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
    """The header (0) or the claims (1) of a token that nobody has checked yet."""
    try:
        segment = unverified_token.split(".", 2)[number]
        value = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (ValueError, binascii.Error, IndexError, RecursionError) as error:
        raise IdTokenRefused("the id_token is not a JWT") from error
    if not isinstance(value, dict):
        raise IdTokenRefused(f"the id_token's {name} is not an object")
    return value


def require(holds: bool, otherwise: str) -> None:
    """Raises IdTokenRefused, for the reason in ``otherwise``, unless ``holds``."""
    if not holds:
        raise IdTokenRefused(f"the id_token was refused: {otherwise}")


def equal(value: object, expected: str) -> bool:
    """Whether a claim is this text, in a time that tells nothing of where it differs."""
    # JSON can hold half a surrogate pair, which plain UTF-8 cannot.
    return isinstance(value, str) and hmac.compare_digest(
        value.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass")
    )


def check_times(claims: Mapping[str, Any]) -> None:
    """Neither expired nor from the future, give or take a minute (RFC 7519 4.1.4, 4.1.6)."""
    now = time.time()
    expires, issued = number(claims, "exp"), number(claims, "iat")
    # Written so that a NaN fails.
    require(bool(expires > now - LEEWAY_SECONDS), "it has expired")
    require(bool(issued < now + LEEWAY_SECONDS), "it is from the future")


def number(claims: Mapping[str, Any], name: str) -> float:
    """A claim that must be a number, such as a time (RFC 7519 2, NumericDate)."""
    value = claims.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    require(is_number, f"{name} is not a number")
    return value  # type: ignore[return-value]


def import_jwk_set(answer: object) -> dict[str, Key]:
    """The signing keys of a JWK set (RFC 7517) by key id; those of unknown kinds are left out."""
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
    """The RSA keys of a map from key id to X.509 certificate (PEM), as Google publishes them."""
    rows = answer if isinstance(answer, dict) else {}
    pems = {kid: pem for kid, pem in rows.items() if isinstance(pem, str) and "CERTIFICATE" in pem}
    imported = {kid: _import_key(pem, "RSA") for kid, pem in pems.items()}
    keys = {kid: key for kid, key in imported.items() if key is not None}
    if not keys:
        raise ProviderError("the certificate map holds no key that can check a signature")
    return keys


def _import_key(value: Any, kind: Any = None) -> Key | None:
    """None for a key of an unknown kind, or too short to trust."""
    try:
        key = jwk.import_key(value, kind)
    except (JoseError, ValueError, TypeError, KeyError):  # KeyError: a curve it does not know
        return None
    is_weak = isinstance(key, jwk.RSAKey) and key.raw_value.key_size < RSA_MIN_BITS
    return None if is_weak else key
