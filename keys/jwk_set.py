"""The keys that issuers publish (RFC 7517), and which of them can have signed a token.

A bad row costs that row only: issuers publish keys for purposes, curves and algorithms that are
unknown here.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc import jwk
from joserfc.errors import JoseError

from errors import ProviderError

# Signatures that an issuer's published key can verify. Never none, never a shared secret.
RSA_ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
CURVE_ALGORITHMS = {
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
    ("EC", "P-521"): frozenset({"ES512"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA"}),
    ("OKP", "Ed448"): frozenset({"EdDSA"}),
}
ALGORITHMS = RSA_ALGORITHMS.union(*CURVE_ALGORITHMS.values())
RSA_MIN_BITS = 2048
# Maximum number of keys tried on one token. Real sets have one or two of one id.
CANDIDATES_MAX = 20

Key = jwk.Key


@dataclass(frozen=True)
class PublishedKey:
    """A key, its id, and the algorithms it may be used with."""

    key_id: str
    key: Key
    algorithms: frozenset[str]


def find_candidates(keys: Sequence[PublishedKey], kid: str | None, algorithm: str) -> list[Key]:
    """Return the keys that can have signed a token with this header.

    Several keys may share an id (RFC 7517 4.5). Without an id, any key of the algorithm may be
    the one.
    """
    fitting = (
        each.key for each in keys if algorithm in each.algorithms and kid in (None, each.key_id)
    )
    candidates: list[Key] = []
    for key in fitting:
        if key not in candidates:
            candidates.append(key)
    return candidates[:CANDIDATES_MAX]


def import_jwk_set(answer: object) -> tuple[PublishedKey, ...]:
    """Import the keys of a JWK set that can verify signatures. Raises ProviderError if it has
    none."""
    rows = answer.get("keys") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise ProviderError("the key set is not one")
    keys = tuple(key for row in rows if (key := _import_row(row)))
    if not keys:
        raise ProviderError("the key set holds no key that can check a signature")
    return keys


def import_certificates(answer: object) -> tuple[PublishedKey, ...]:
    """Import the RSA keys of a map from key id to X.509 certificate (PEM), as Google publishes
    them. Raises ProviderError if it has none."""
    rows = answer if isinstance(answer, dict) else {}
    pems = {kid: pem for kid, pem in rows.items() if isinstance(pem, str) and "CERTIFICATE" in pem}
    imported = {kid: _import_certificate(pem) for kid, pem in pems.items()}
    keys = tuple(PublishedKey(kid, key, RSA_ALGORITHMS) for kid, key in imported.items() if key)
    if not keys:
        raise ProviderError("the certificate map holds no key that can check a signature")
    return keys


def _import_row(row: object) -> PublishedKey | None:
    """Import one row; None if it is malformed, of an unknown type, or not for signatures."""
    if not isinstance(row, dict):
        return None
    try:
        algorithms = _algorithms_of(row)
        key = _import_numbers(row) if algorithms else None
    except (JoseError, UnsupportedAlgorithm, ValueError, TypeError, KeyError):
        return None
    if key is None:
        return None
    kid = row.get("kid")
    # The id is optional (RFC 7517 4.5); its thumbprint (RFC 7638) serves instead.
    return PublishedKey(kid if isinstance(kid, str) else key.thumbprint(), key, algorithms)


def _algorithms_of(row: Mapping[str, Any]) -> frozenset[str]:
    """Return the algorithms that a key may be used with (RFC 7517 4.1 to 4.4)."""
    if row.get("use") not in (None, "sig"):
        return frozenset()
    operations = row.get("key_ops")
    if operations is not None and not {"verify", "sign"} & set(operations):
        return frozenset()
    is_rsa = row["kty"] == "RSA"
    algorithms = RSA_ALGORITHMS if is_rsa else CURVE_ALGORITHMS[row["kty"], row["crv"]]
    algorithm = row.get("alg")
    return algorithms if algorithm is None else algorithms & {algorithm}


def _import_numbers(row: Mapping[str, Any]) -> Key | None:
    """Import the public key and nothing else of its row; None if it is too short."""
    match row["kty"]:
        case "RSA":
            modulus = _decode(row["n"])
            # Checked before the import, because joserfc warns about short keys.
            if int.from_bytes(modulus).bit_length() < RSA_MIN_BITS:
                return None
            return jwk.RSAKey.import_key(
                {"kty": "RSA", "n": _encode(modulus), "e": _encode(_decode(row["e"]))}
            )
        case "EC":
            x, y = _encode(_decode(row["x"])), _encode(_decode(row["y"]))
            return jwk.ECKey.import_key({"kty": "EC", "crv": row["crv"], "x": x, "y": y})
        case _:
            x = _encode(_decode(row["x"]))
            return jwk.OKPKey.import_key({"kty": "OKP", "crv": row["crv"], "x": x})


def _decode(text: object) -> bytes:
    """Decode base64url. Padding and the plain base64 alphabet are tolerated: issuers use them."""
    if not isinstance(text, str):
        raise TypeError("not a text")
    plain = text.rstrip("=").translate(str.maketrans("-_", "+/"))
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _import_certificate(pem: str) -> Key | None:
    try:
        key = jwk.RSAKey.import_key(pem)
    except (JoseError, ValueError, TypeError):
        return None
    return key if key.raw_value.key_size >= RSA_MIN_BITS else None
