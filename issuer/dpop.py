"""DPoP: a request proves that its sender has the key that a token is bound to (RFC 9449)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from errors import IdTokenRefused
from issuer import seen_proofs
from issuer.faults import Refused
from keys.proofs import verify_proof
from keys.signing import full_hash
from storage import now

# How far the clock of a client may be off.
LEEWAY_SECONDS = 60
JTI_MAX_CHARACTERS = 256


def check(proof: str, method: str, url: str, access_token: str | None = None) -> str | Refused:
    """Check a proof for this request; return the thumbprint of its key. Each counts once, on all
    instances."""
    try:
        claims, jkt = verify_proof(proof)
    except IdTokenRefused as error:
        return Refused("proof_invalid", error.detail)
    if reason := _fault(claims, method, url, access_token):
        return Refused("proof_invalid", reason)
    if not seen_proofs.note(f"{jkt}:{claims['jti']}", 2 * LEEWAY_SECONDS):
        return Refused("proof_invalid", "it was used before")
    return jkt


def _fault(
    claims: Mapping[str, Any], method: str, url: str, access_token: str | None
) -> str | None:
    iat, jti, htu = (claims.get(name) for name in ("iat", "jti", "htu"))
    is_text = isinstance(jti, str) and 0 < len(jti) <= JTI_MAX_CHARACTERS
    faults = {
        "jti": not is_text,
        "htm": claims.get("htm") != method,
        "htu": not isinstance(htu, str) or _place(htu) != _place(url),
        "iat": not _is_recent(iat),
        "ath": access_token is not None and claims.get("ath") != full_hash(access_token),
    }
    return next((name for name, holds in faults.items() if holds), None)


def _is_recent(iat: object) -> bool:
    """Compare only: an integer of a client's may be too large to compute with."""
    if not isinstance(iat, int | float) or isinstance(iat, bool):
        return False
    moment = now().timestamp()
    return moment - LEEWAY_SECONDS <= iat <= moment + LEEWAY_SECONDS


def _place(url: str) -> tuple[str, str, str] | None:
    """Return an address without query and fragment (RFC 9449 4.3)."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.scheme.lower(), parts.netloc.lower(), parts.path
