"""DPoP: a request proves that its sender has the key that a token is bound to (RFC 9449)."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Select, delete, select

from accounts.sessions import hash_token
from errors import IdTokenRefused
from issuer.faults import Refused
from issuer.models import ProofRow
from keys.proofs import verify_proof
from keys.signing import full_hash
from storage import atomic, db, now

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
    if not _note(hash_token(f"{jkt}:{claims['jti']}")):
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


@atomic
def _note(proof_hash: str) -> bool:
    """Note a proof; return whether it is new. If two come at the same time, the second collides,
    starts over and finds the first."""
    if db.session.scalar(select(ProofRow.id).where(ProofRow.id == proof_hash)) is not None:
        return False
    kept = timedelta(seconds=2 * LEEWAY_SECONDS)
    db.session.add(ProofRow(id=proof_hash, expires_at=now() + kept))
    db.session.flush()
    return True


def expired() -> Select[str]:
    """Select the ids of proofs that are too old to be used again."""
    return select(ProofRow.id).where(ProofRow.expires_at < now())


@atomic
def purge(ids: Sequence[str]) -> None:
    """Delete expired proofs, by id."""
    db.session.execute(delete(ProofRow).where(ProofRow.id.in_(ids)))
