"""Generated client secrets: a JWT, signed with a key that the operator holds (ES256)."""

from collections.abc import Mapping

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwt
from joserfc.jwk import ECKey


def sign(pem: str, key_id: str | None, claims: Mapping[str, object]) -> str:
    """Sign the claims as a JWT with this private key and key id. Raises ValueError."""
    return jwt.encode({"alg": "ES256", "kid": key_id}, dict(claims), _key(pem))


def is_key(pem: str) -> bool:
    """Whether a text is a private key that can sign."""
    try:
        _key(pem)
    except ValueError:
        return False
    return True


def _key(pem: str) -> ECKey:
    r"""Import the key; \\n in a one-line settings value is a line break. Raises ValueError."""
    try:
        key = load_pem_private_key(pem.replace("\\n", "\n").encode(), None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(str(error)) from error
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return ECKey(key, key)
    raise ValueError("not a P-256 key")
