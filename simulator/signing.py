"""Signed tokens of the fake providers, and every way to make them wrong."""

import base64
import functools
import hashlib
import hmac
import json
import math
import threading
import time
from collections.abc import Callable
from typing import Any

from joserfc import jwe, jwk, jws

Claims = dict[str, Any]

# Flaws of an id_token's claims.
SPOILT_CLAIMS: dict[str, Callable[[Claims], Claims]] = {
    "other_issuer": lambda claims: claims | {"iss": "https://accounts.evil.example"},
    "other_audience": lambda claims: claims | {"aud": "another-client", "azp": "another-client"},
    "other_azp": lambda claims: claims | {"azp": "another-client"},
    "two_audiences": lambda claims: (
        claims | {"aud": [claims["aud"], "another-client"], "azp": "another-client"}
    ),
    "expired": lambda claims: claims | {"exp": int(time.time()) - 3600},
    "from_the_future": lambda claims: claims | {"iat": int(time.time()) + 3600},
    "valid_later": lambda claims: claims | {"nbf": int(time.time()) + 3600},
    "nbf_as_text": lambda claims: claims | {"nbf": "now"},
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
# Subjects that are no id, though they are texts.
SPOILT_SUBJECTS: dict[str, Callable[[Claims], Claims]] = {
    "blank_sub": lambda claims: claims | {"sub": " \u00a0"},
    "invisible_sub": lambda claims: claims | {"sub": "\u3164\u200b\u2800"},
    "control_sub": lambda claims: claims | {"sub": f"{claims['sub']}\n"},
}
# Unusual but valid: azp may be missing (OpenID Connect Core, errata 2).
ODD_CLAIMS: dict[str, Callable[[Claims], Claims]] = {
    "no_azp": lambda claims: {
        **{name: value for name, value in claims.items() if name != "azp"},
        "aud": ["another-client", claims["aud"]],
    },
    "valid_now": lambda claims: claims | {"nbf": claims["iat"]},
}
# Claims that are JSON only to a lenient reader (RFC 8259 8.1, 9), or two things to two readers.
SPOILT_JSON: dict[str, Callable[[Claims], bytes]] = {
    "byte_order_mark": lambda claims: b"\xef\xbb\xbf" + json.dumps(claims).encode(),
    "utf_16": lambda claims: json.dumps(claims).encode("utf-16"),
    "infinity": lambda claims: json.dumps(claims | {"exp": math.inf}).encode(),
    "nan": lambda claims: json.dumps(claims | {"x": math.nan}).encode(),
    "too_large": lambda claims: b'{"x": 1e999, ' + json.dumps(claims).encode()[1:],
    "twice": lambda claims: b'{"sub": "1", ' + json.dumps(claims).encode()[1:],
}
SPOILT_TOKENS = (
    *SPOILT_JSON,
    "encrypted",
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


# Flaws of auth_time.
SPOILT_PROOFS: dict[str, Callable[[Claims], Claims]] = {
    "no_auth_time": lambda claims: {n: v for n, v in claims.items() if n != "auth_time"},
    "old_auth_time": lambda claims: claims | {"auth_time": int(time.time()) - 3600},
    "future_auth_time": lambda claims: claims | {"auth_time": int(time.time()) + 3600},
    "auth_time_as_text": lambda claims: claims | {"auth_time": str(int(time.time()))},
    "auth_time_as_true": lambda claims: claims | {"auth_time": True},
    "auth_time_as_null": lambda claims: claims | {"auth_time": None},
}
# The curve of each elliptic-curve algorithm.
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


_first_keys: dict[str, jwk.RSAKey] = {}
_making = threading.Lock()


def first_key(name: str) -> jwk.RSAKey:
    """Create one key per name, since that is slow: providers of one name start with the same."""
    with _making:
        if name not in _first_keys:
            _first_keys[name] = jwk.RSAKey.generate_key(2048, auto_kid=True)
        return _first_keys[name]


class Signer:
    """Signs with ``key`` and ``algorithm``; ``rotate`` changes the key. The first is created at its
    first use: most providers of a demo or a test never sign."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.algorithm = "RS256"
        # For tests: header parameters of every token.
        self.header: Claims = {}

    @functools.cached_property
    def key(self) -> jwk.Key:
        return first_key(self._name)

    def rotate(self, algorithm: str = "RS256") -> None:
        self.algorithm = algorithm
        if algorithm == "EdDSA":
            self.key = jwk.OKPKey.generate_key("Ed25519", auto_kid=True)
        elif algorithm in CURVES:
            self.key = jwk.ECKey.generate_key(CURVES[algorithm], auto_kid=True)
        else:
            self.key = jwk.RSAKey.generate_key(2048, auto_kid=True)

    def sign(self, claims: object, key: Any = None, **header: Any) -> str:
        """Create a JWT by hand, because joserfc warns of EdDSA, which RFC 9864 renames."""
        key = key or self.key
        header = {"alg": self.algorithm, "kid": self.key.kid, **self.header, **header}
        signed = f"{segment(header)}.{segment(claims)}"
        model = jws.JWSRegistry.algorithms[self.algorithm]
        return f"{signed}.{encode(model.sign(signed.encode(), key))}"

    def at_hash(self, access_token: str) -> str:
        """Return at_hash (OpenID Connect Core 3.1.3.6); SHA-512 for Ed25519."""
        bits = "512" if self.algorithm == "EdDSA" else self.algorithm[-3:]
        digest = hashlib.new(f"sha{bits}", access_token.encode()).digest()
        return encode(digest[: len(digest) // 2])

    def spoil(self, flaw: str, claims: Claims) -> str | None:
        if flaw in SPOILT_JSON:
            return self.sign(SPOILT_JSON[flaw](claims))
        stranger = jwk.RSAKey.generate_key(2048)
        unsigned = segment({"alg": "none", "kid": self.key.kid, "typ": "JWT"})
        unsigned += f".{segment(claims)}."
        match flaw:
            case "encrypted":
                header = {"alg": "RSA-OAEP", "enc": "A256GCM", "cty": "JWT"}
                return jwe.encrypt_compact(header, self.sign(claims), stranger)
            case "alg_none":
                return unsigned
            case "alg_none_signed_by_nobody":
                return unsigned + segment({"x": 1})
            case "hs256_with_public_key":
                assert isinstance(self.key, jwk.RSAKey)
                public = self.key.as_pem(private=False)
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
                return self.sign([claims])
            case "not_a_jwt":
                return "not a jwt"
        return None


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def segment(value: object) -> str:
    return encode(value if isinstance(value, bytes) else json.dumps(value).encode())
