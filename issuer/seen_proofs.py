"""Proofs that count once, on all instances: of DPoP (RFC 9449 11.1), and client assertions
(RFC 7523 3)."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Select, delete, select

from accounts.sessions import hash_token
from issuer.models import ProofRow
from storage import atomic, db, now


@atomic
def note(proof: str, seconds: float) -> bool:
    """Note a proof for as long as it could be used; return whether it is new.

    If two come at the same time, the second collides, starts over and finds the first.
    """
    proof_hash = hash_token(proof)
    if db.session.scalar(select(ProofRow.id).where(ProofRow.id == proof_hash)) is not None:
        return False
    db.session.add(ProofRow(id=proof_hash, expires_at=now() + timedelta(seconds=seconds)))
    db.session.flush()
    return True


def expired() -> Select[str]:
    """Select the ids of proofs that are too old to be used again."""
    return select(ProofRow.id).where(ProofRow.expires_at < now())


@atomic
def purge(ids: Sequence[str]) -> None:
    """Delete expired proofs, by id."""
    db.session.execute(delete(ProofRow).where(ProofRow.id.in_(ids)))
