"""Client assertions: JWTs by which we authenticate with a private key (RFC 7523 2.2, OpenID Connect
Core 9, ``private_key_jwt``).
"""

import base64
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import Certificate, load_pem_x509_certificates
from joserfc import jwk, jws

from keys.jwk_set import RSA_MIN_BITS
from keys.jwt import REGISTRY

# The usual one first, then what an issuer may ask for instead.
RSA_ALGORITHMS = ("RS256", "PS256", "RS384", "PS384", "RS512", "PS512")
CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
# FAPI 2.0 5.4.1 allows no RS256, so PS256 is preferred where an issuer lists its algorithms.
PREFERRED = "PS256"
PRIVATE_PART = re.compile(
    r"-----BEGIN ([A-Z]+ )?PRIVATE KEY-----.*?-----END ([A-Z]+ )?PRIVATE KEY-----", re.DOTALL
)


@dataclass(frozen=True)
class ClientKey:
    """Our private key, the algorithms it can sign with, and the header that names it."""

    key: jwk.Key
    algorithms: tuple[str, ...]
    header: Mapping[str, str]

    def sign(self, claims: Mapping[str, object], accepted: Collection[str]) -> str:
        """Sign claims with an algorithm that is accepted; empty: the usual one. Raises
        ValueError."""
        fitting = [name for name in self.algorithms if not accepted or name in accepted]
        if not fitting:
            raise ValueError(f"{', '.join(self.algorithms)} is not among {', '.join(accepted)}")
        algorithm = PREFERRED if accepted and PREFERRED in fitting else fitting[0]
        header = {"alg": algorithm, "typ": "JWT", **self.header}
        payload = json.dumps(claims).encode()
        return jws.serialize_compact(header, payload, self.key, registry=REGISTRY)


def load_client_key(text: str, key_id: str | None) -> ClientKey:
    r"""Import a PEM with a private key and, optionally, its certificate; \\n in a one-line settings
    value is a line break. Raises ValueError."""
    pem = text.replace("\\n", "\n")
    part = PRIVATE_PART.search(pem)
    if part is None:
        raise ValueError("there is no private key in it")
    try:
        private = load_pem_private_key(part[0].encode(), None)
    except (TypeError, UnsupportedAlgorithm) as error:  # it has a password, for example
        raise ValueError(str(error)) from error
    key: jwk.Key
    algorithms: tuple[str, ...]
    match private:
        case RSAPrivateKey() if private.key_size >= RSA_MIN_BITS:
            key = jwk.RSAKey(private, private)
            algorithms = RSA_ALGORITHMS
        case EllipticCurvePrivateKey() if private.curve.name in CURVES:
            key = jwk.ECKey(private, private)
            algorithms = (CURVES[private.curve.name],)
        case Ed25519PrivateKey():
            key = jwk.OKPKey(private, private)
            algorithms = ("EdDSA",)
        case _:
            raise ValueError(f"not an RSA key of {RSA_MIN_BITS} bits, nor of P-256 to P-521")
    own = private.public_key()
    certificates = load_pem_x509_certificates(pem.encode()) if "CERTIFICATE" in pem else []
    for certificate in certificates:
        if certificate.public_key() == own:
            return ClientKey(key, algorithms, _named_by(certificate, key_id))
    if certificates:
        raise ValueError("its certificate belongs to another key")
    return ClientKey(key, algorithms, {"kid": key_id or key.thumbprint()})


def _named_by(certificate: Certificate, key_id: str | None) -> dict[str, str]:
    """Return the header of a certificate (RFC 7515 4.1.7 and 8), by which Microsoft finds it."""
    old, new = (
        base64.urlsafe_b64encode(certificate.fingerprint(kind)).rstrip(b"=").decode()
        for kind in (SHA1(), SHA256())  # noqa: S303 (a name, no signature)
    )
    return {"x5t": old, "x5t#S256": new, **({"kid": key_id} if key_id else {})}
