"""Client secrets that are made: a JWT, signed with a key that the operator holds (ES256)."""

from collections.abc import Mapping

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwt
from joserfc.jwk import ECKey

from config.registrations import ClientSettings


def sign(client: ClientSettings, claims: Mapping[str, object]) -> str:
    """The claims as a JWT of the client's key and key id."""
    return jwt.encode({"alg": "ES256", "kid": client.key_id}, dict(claims), _key(client))


def has_key(client: ClientSettings) -> bool:
    """Whether the private key is one to sign with."""
    try:
        _key(client)
    except ValueError:
        return False
    return True


def _key(client: ClientSettings) -> ECKey:
    r"""Raises ValueError. In one line of a settings file, line ends are written as \n."""
    pem = client.private_key.get_secret_value() if client.private_key else ""
    try:
        key = load_pem_private_key(pem.replace("\\n", "\n").encode(), None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(str(error)) from error
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return ECKey(key, key)
    raise ValueError("not a P-256 key")
