"""The DPoP header of a request (RFC 9449 4.1)."""

from flask import request

from issuer import dpop
from issuer.faults import Refused
from views.oidc.place import issuer

HEADER = "DPoP"


def proved_key(access_token: str | None = None) -> str | Refused | None:
    """Return the thumbprint of the key that a request proves to hold; None where it proves
    nothing."""
    proofs = request.headers.getlist(HEADER)
    if not proofs:
        return None
    if len(proofs) > 1:
        return Refused("proof_invalid", "several proofs")
    return dpop.check(proofs[0], request.method, issuer() + request.path, access_token)
