"""Client secrets that are made: a JWT, signed with a key that the operator holds (ES256)."""

from collections.abc import Mapping

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwt
from joserfc.jwk import ECKey


def sign(pem: str, key_id: str | None, claims: Mapping[str, object]) -> str:
    """The claims as a JWT signed with this private key, under its key id. Raises ValueError."""
    return jwt.encode({"alg": "ES256", "kid": key_id}, dict(claims), _key(pem))


def is_key(pem: str) -> bool:
    """Whether a text is a private key to sign with."""
    try:
        _key(pem)
    except ValueError:
        return False
    return True


def _key(pem: str) -> ECKey:
    r"""Raises ValueError. In one line of a settings file, line ends are written as \n."""
    try:
        key = load_pem_private_key(pem.replace("\\n", "\n").encode(), None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(str(error)) from error
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return ECKey(key, key)
    raise ValueError("not a P-256 key")
