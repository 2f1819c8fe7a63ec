"""Signed tokens as look-alikes make them, and every way to make them wrong."""

import base64
import functools
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

from joserfc import jwk, jws, jwt

Claims = dict[str, Any]

# What can be wrong with the claims of an id_token.
SPOILT_CLAIMS: dict[str, Callable[[Claims], Claims]] = {
    "other_issuer": lambda claims: claims | {"iss": "https://accounts.evil.example"},
    "other_audience": lambda claims: claims | {"aud": "another-client", "azp": "another-client"},
    "other_azp": lambda claims: claims | {"azp": "another-client"},
    "two_audiences": lambda claims: {
        **{name: value for name, value in claims.items() if name != "azp"},
        "aud": [claims["aud"], "another-client"],
    },
    "expired": lambda claims: claims | {"exp": int(time.time()) - 3600},
    "from_the_future": lambda claims: claims | {"iat": int(time.time()) + 3600},
    "exp_as_text": lambda claims: claims | {"exp": "tomorrow"},
    "exp_as_true": lambda claims: claims | {"exp": True},
    "other_nonce": lambda claims: claims | {"nonce": "another-flow"},
    "nonce_as_list": lambda claims: claims | {"nonce": [claims["nonce"]]},
    "other_at_hash": lambda claims: claims | {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    "empty_sub": lambda claims: claims | {"sub": ""},
    "sub_as_null": lambda claims: claims | {"sub": None},
    "sub_as_list": lambda claims: claims | {"sub": [claims["sub"]]},
    "long_sub": lambda claims: claims | {"sub": "9" * 256},
    **{
        f"no_{name}": lambda claims, name=name: {  # type: ignore[misc]
            key: value for key, value in claims.items() if key != name
        }
        for name in ("iss", "aud", "exp", "iat", "nonce", "sub")
    },
}
SPOILT_TOKENS = (
    "alg_none",
    "alg_none_signed_by_nobody",
    "hs256_with_public_key",
    "other_key_same_kid",
    "unknown_kid",
    "embedded_key",
    "jku",
    "not_a_jwt",
    "missing",
    "claims_are_a_list",
)


@functools.cache
def first_key(_name: str) -> jwk.RSAKey:
    """Making a key is slow: look-alikes of one name begin with the same in one process."""
    return jwk.RSAKey.generate_key(2048, auto_kid=True)


class Signer:
    """``key`` signs; ``rotate`` changes it."""

    def __init__(self, name: str) -> None:
        self.key = first_key(name)

    def rotate(self) -> None:
        self.key = jwk.RSAKey.generate_key(2048, auto_kid=True)

    def sign(self, claims: Claims, **header: Any) -> str:
        key = header.pop("key", self.key)
        header = {"alg": "RS256", "kid": self.key.kid, **header}
        return jwt.encode(header, claims, key, algorithms=[header["alg"]])

    def spoil(self, flaw: str, claims: Claims) -> str | None:
        stranger = jwk.RSAKey.generate_key(2048)
        public = self.key.as_pem(private=False)
        unsigned = segment({"alg": "none", "kid": self.key.kid, "typ": "JWT"})
        unsigned += f".{segment(claims)}."
        match flaw:
            case "alg_none":
                return unsigned
            case "alg_none_signed_by_nobody":
                return unsigned + segment({"x": 1})
            case "hs256_with_public_key":
                # By hand: joserfc knows this attack and takes no public key for a secret.
                signed = f"{segment({'alg': 'HS256', 'kid': self.key.kid})}.{segment(claims)}"
                return f"{signed}.{encode(hmac.digest(public, signed.encode(), 'sha256'))}"
            case "other_key_same_kid":
                return self.sign(claims, key=stranger)
            case "unknown_kid":
                return self.sign(claims, key=stranger, kid="made-up")
            case "embedded_key":
                return self.sign(claims, key=stranger, jwk=stranger.as_dict(private=False))
            case "jku":
                return self.sign(claims, key=stranger, jku="http://127.0.0.1:9/keys")
            case "claims_are_a_list":
                header = {"alg": "RS256", "kid": self.key.kid}
                return jws.serialize_compact(header, json.dumps([claims]), self.key)
            case "not_a_jwt":
                return "not a jwt"
        return None


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def segment(value: object) -> str:
    return encode(json.dumps(value).encode())
