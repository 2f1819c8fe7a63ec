"""Why a session was ended from elsewhere, so that its browser can be told at its next page.

A row holds the hash of the session's token and a reason, and nothing about the person. It is kept
for 30 days.
"""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Select,
    bindparam,
    delete,
    insert,
    literal,
    select,
)

from accounts import endings
from accounts.models import EndedSession
from models import Session
from storage import atomic, db, now
from storage.compiled import CompiledSelect

KEPT_DAYS = 30


class EndReason(StrEnum):
    """Why a session was ended; the values are stored."""

    ELSEWHERE = "elsewhere"
    IDENTITY_REMOVED = "identity_removed"
    IDENTITY_MOVED = "identity_moved"
    IDENTITY_REFUSED = "identity_refused"
    MERGED = "merged"
    DELETED = "deleted"
    REJECTED = "rejected"
    DISABLED = "disabled"
    OPERATOR = "operator"
    # The provider said that they ended, or took back the permission.
    PROVIDER = "provider"
    # The person said that a sign-in was not theirs.
    NOT_ME = "not_me"
    # The operator's rules no longer let the person in, the provider has to be asked more than it
    # was allowed to tell, or it could not be asked for too long.
    ACCESS_LOST = "access_lost"
    ACCESS_CONSENT = "access_consent"
    ACCESS_UNKNOWN = "access_unknown"


class Ended(NamedTuple):
    """Why a session was ended. ``detail``: the rule that no longer lets its person in, if one
    did."""

    reason: EndReason
    detail: str


class _Row(NamedTuple):
    reason: str
    detail: str


_FIND = CompiledSelect(
    select(EndedSession.reason, EndedSession.detail).where(
        EndedSession.token_hash == bindparam("token_hash")
    ),
    _Row,
)


def end(*those: ColumnElement[bool], reason: EndReason, detail: str = "") -> int:
    """End the sessions that meet all these conditions; return how many. Call within an atomic
    verb."""
    values = (literal(reason.value), literal(detail[:300]), literal(now()))
    kept = select(Session.token_hash, *values).where(*those)
    columns = ["token_hash", "reason", "detail", "ended_at"]
    db.session.execute(insert(EndedSession).from_select(columns, kept))
    return remove(*those)


def remove(*those: ColumnElement[bool]) -> int:
    """Delete the sessions that meet all these conditions, after other rooms are told that they
    end; return how many. Call within an atomic verb."""
    endings.end_sessions(select(Session.sid).where(*those, Session.sid.is_not(None)))
    result = db.session.execute(delete(Session).where(*those))
    return result.rowcount if isinstance(result, CursorResult) else 0


def find(token_hash: str) -> Ended | None:
    """Return why the session of a token was ended, if it was ended from elsewhere."""
    row = _FIND.row(token_hash=token_hash)
    is_known = row is not None and row.reason in set(EndReason)
    return Ended(EndReason(row.reason), row.detail) if row and is_known else None


def expired() -> Select[str]:
    """Select the reasons that are older than KEPT_DAYS."""
    kept_since = now() - timedelta(days=KEPT_DAYS)
    return select(EndedSession.token_hash).where(EndedSession.ended_at < kept_since)


@atomic
def purge(token_hashes: Sequence[str]) -> None:
    """Delete expired reasons, by hash."""
    db.session.execute(delete(EndedSession).where(EndedSession.token_hash.in_(token_hashes)))
