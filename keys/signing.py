"""Keys of our own: made, published, and used to sign tokens (RFC 7515, 7517, 7518)."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from keys.jwk_set import Key, PublishedKey, import_jwk_set

Algorithm = Literal["RS256", "ES256"]
ALGORITHMS: tuple[Algorithm, ...] = ("RS256", "ES256")
RSA_BITS = 2048
MAC_BYTES = 32

JWK = dict[str, Any]


def make_key(algorithm: str) -> JWK:
    """Make a private key, as a JWK with its id."""
    key: Key = (
        RSAKey.generate_key(RSA_BITS) if algorithm == "RS256" else ECKey.generate_key("P-256")
    )
    return {**key.as_dict(private=True), "kid": key.thumbprint(), "alg": algorithm, "use": "sig"}


def public_part(private: JWK) -> JWK:
    """Return what is published of a key: nothing private."""
    names = ("kty", "n", "e", "crv", "x", "y", "kid", "alg", "use")
    return {name: private[name] for name in names if name in private}


def published(publics: Sequence[JWK]) -> tuple[PublishedKey, ...]:
    """Import public keys of ours, to verify what we signed."""
    return import_jwk_set({"keys": list(publics)}) if publics else ()


class SigningKey:
    """A private key that is ready to sign."""

    def __init__(self, private: JWK) -> None:
        self.kid: str = private["kid"]
        self.algorithm: str = private["alg"]
        kind = RSAKey if private["kty"] == "RSA" else ECKey
        numbers = {name: value for name, value in private.items() if name not in ("alg", "use")}
        self._key = kind.import_key(numbers)

    def __repr__(self) -> str:
        return f"<SigningKey {self.kid} {self.algorithm}>"

    def sign(self, claims: Mapping[str, Any], token_type: str = "JWT") -> str:  # noqa: S107 (a type)
        """Sign claims as a JWT of this type."""
        header = {"alg": self.algorithm, "typ": token_type, "kid": self.kid}
        payload = json.dumps(claims, separators=(",", ":")).encode()
        return jws.serialize_compact(header, payload, self._key)


class Macs:
    """Message authentication codes (HMAC-SHA256): the first of several keys makes them, any of
    them checks."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = [
            HKDF(SHA256(), 32, salt=None, info=b"quickstep tokens 1").derive(key.encode())
            for key in keys
        ]

    def __repr__(self) -> str:
        return f"<Macs of {len(self._keys)} keys>"

    def make(self, message: bytes) -> bytes:
        return hmac.digest(self._keys[0], message, "sha256")

    def is_valid(self, message: bytes, mac: bytes) -> bool:
        return any(
            hmac.compare_digest(hmac.digest(key, message, "sha256"), mac) for key in self._keys
        )


def encode(data: bytes) -> str:
    """Encode as base64url without padding (RFC 7515 2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Decode base64url. Raises ValueError unless the text is exactly how ``encode`` writes it."""
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(data) != text:
        raise ValueError("not base64url")
    return data


def full_hash(text: str) -> str:
    """Return ath of an access token (RFC 9449 4.2)."""
    return encode(hashlib.sha256(text.encode()).digest())


def left_half_hash(text: str) -> str:
    """Return at_hash of a token (OpenID Connect Core 3.1.3.6) for algorithms with SHA-256."""
    return encode(hashlib.sha256(text.encode()).digest()[:16])
