"""Signed-in browsers and devices: the only writer of sessions.

The cookie holds a random token, the row its SHA-256: who reads the database cannot sign in.
A row that is gone is a session that is gone, on every instance, from the next request on.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sqlalchemy import (
    CursorResult,
    Integer,
    Select,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import joinedload

from accounts.activity import Caller
from models import Session
from storage import atomic, db, new_id, now
from storage.compiled import CompiledStatement

LIFETIME_DAYS = 90
IDLE_DAYS = 14
SEEN_EVERY_SECONDS = 60
RECENT_SECONDS = 15 * 60
MAX_SESSIONS_PER_USER = 100
# When a session's person has not proved themselves in a way that still counts.
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

_ADD = CompiledStatement(insert(Session))
_FIND = (
    select(Session)
    .where(Session.token_hash == bindparam("token_hash"))
    .options(joinedload(Session.user, innerjoin=True))
)
_KEPT = (
    select(Session.id)
    .where(Session.user_id == bindparam("user_id"))
    .order_by(Session.last_seen_at.desc())
    .limit(bindparam("kept", type_=Integer))
)
_END_OLDEST = CompiledStatement(
    delete(Session).where(Session.user_id == bindparam("user_id"), Session.id.not_in(_KEPT))
)
_NUMBER = CompiledStatement(select(func.count()).where(Session.user_id == bindparam("user_id")))


def hash_token(token: str) -> str:
    """How a random secret is kept: it is long enough that a plain hash cannot be reversed."""
    return hashlib.sha256(token.encode()).hexdigest()


class Opener(Protocol):
    """An identity, as far as it opens a session."""

    @property
    def id(self) -> str: ...
    @property
    def user_id(self) -> str: ...
    @property
    def provider(self) -> str: ...


@dataclass(frozen=True)
class Begun:
    """A session that was just begun: what stands in its row."""

    id: str
    token_hash: str = field(repr=False)
    user_id: str
    identity_id: str
    provider: str
    created_at: datetime
    authenticated_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    user_agent: str
    address: str


@atomic
def start(
    identity: Opener,
    caller: Caller,
    *,
    replaces: str | None = None,
    auth_time: float | None = None,
) -> tuple[Begun, str]:
    """A session for the identity's owner, as a row of its own, and the token for the cookie.

    ``replaces``: id of the session that this browser had; it ends. When it was the same
    person's the new one is no more recent: a provider that still knows them signs whoever sits
    there in again, unasked. For sensitive acts they are asked to prove themselves (``renew``).
    ``proved_at``: when the provider says that they proved themselves, in seconds since 1970.
    """
    started_at = now()
    begun_at = _end_replaced(replaces, identity.user_id) if replaces else started_at
    token = secrets.token_urlsafe(32)
    begun = Begun(
        id=new_id(),
        token_hash=hash_token(token),
        user_id=identity.user_id,
        identity_id=identity.id,
        provider=identity.provider,
        created_at=started_at,
        authenticated_at=begun_at if auth_time is None else moment(auth_time),
        last_seen_at=started_at,
        expires_at=started_at + timedelta(days=LIFETIME_DAYS),
        user_agent=caller.user_agent[:256],
        address=caller.address,
    )
    _ADD.run(**vars(begun))
    if _NUMBER.value(user_id=identity.user_id) > MAX_SESSIONS_PER_USER:
        _END_OLDEST.run(user_id=identity.user_id, kept=MAX_SESSIONS_PER_USER)
    return begun, token


def moment(seconds: float) -> datetime:
    """A time since 1970; now, where it is yet to come."""
    return datetime.fromtimestamp(min(seconds, now().timestamp()), UTC)


def _end_replaced(session_id: str, user_id: str) -> datetime:
    """End a session; since when its successor, this user's, has been proved."""
    of_same = (Session.id == session_id, Session.user_id == user_id)
    auth_time = db.session.scalar(select(Session.authenticated_at).where(*of_same))
    db.session.execute(delete(Session).where(Session.id == session_id))
    return auth_time or now()


def find(token: str | None) -> Session | None:
    """The session a cookie speaks of, with its user; None when it is over or the user is off."""
    if not token or len(token) > 128:
        return None
    session = db.session.scalar(_FIND, {"token_hash": hash_token(token)})
    if session is None or not _is_alive(session) or not session.user.is_active:
        return None
    return session


def _is_alive(session: Session) -> bool:
    moment = now()
    idle_since = moment - timedelta(days=IDLE_DAYS)
    return session.expires_at > moment and session.last_seen_at > idle_since


def is_recent(session: Session) -> bool:
    """Whether its person proved themselves in the last 15 minutes."""
    return is_recent_moment(session.authenticated_at)


def is_recent_moment(value: datetime) -> bool:
    return value > now() - timedelta(seconds=RECENT_SECONDS)


@atomic
def touch(session: Session, caller: Caller) -> None:
    """Note that a session is in use, at most once a minute."""
    if session.last_seen_at < now() - timedelta(seconds=SEEN_EVERY_SECONDS):
        db.session.execute(
            update(Session)
            .where(Session.id == session.id)
            .values(last_seen_at=now(), address=caller.address)
        )


def needs_touch(session: Session) -> bool:
    return session.last_seen_at < now() - timedelta(seconds=SEEN_EVERY_SECONDS)


@atomic
def renew(session_id: str, *, reauthenticated: bool = False) -> str:
    """A new token for a session whose rights have grown; the old one is dead."""
    token = secrets.token_urlsafe(32)
    values: dict[str, object] = {"token_hash": hash_token(token)}
    if reauthenticated:
        values["authenticated_at"] = now()
    db.session.execute(update(Session).where(Session.id == session_id).values(**values))
    return token


def of_user(user_id: str) -> Sequence[Session]:
    """The living sessions of a person, last seen first."""
    query = select(Session).where(Session.user_id == user_id).order_by(Session.last_seen_at.desc())
    return [session for session in db.session.scalars(query) if _is_alive(session)]


@atomic
def end(user_id: str, session_id: str) -> Session | None:
    """End one of this person's sessions; None when there is no such one."""
    # Compared here: an id from an address may hold what a database refuses to compare with.
    session = next((row for row in of_user(user_id) if row.id == session_id), None)
    if session is not None:
        db.session.delete(session)
    return session


@atomic
def end_others(user_id: str, kept_id: str) -> int:
    """End all of this person's sessions but one; how many that were."""
    others = delete(Session).where(Session.user_id == user_id, Session.id != kept_id)
    result = db.session.execute(others)
    return result.rowcount if isinstance(result, CursorResult) else 0


@atomic
def end_all(user_id: str | None = None) -> int:
    """End all sessions of a person, or of everybody; how many that were."""
    theirs = delete(Session)
    if user_id is not None:
        theirs = theirs.where(Session.user_id == user_id)
    result = db.session.execute(theirs)
    return result.rowcount if isinstance(result, CursorResult) else 0


@atomic
def end_of_identity(identity_id: str, kept_id: str) -> None:
    """End the sessions that an identity started, but one: it is no way in any more."""
    db.session.execute(
        delete(Session).where(Session.identity_id == identity_id, Session.id != kept_id)
    )


def move(from_user_id: str, to_user_id: str) -> None:
    """Give one account's sessions to another. Call within an atomic verb.

    They proved less than they may do now, so each must prove itself before a sensitive act.
    """
    theirs = update(Session).where(Session.user_id == from_user_id)
    db.session.execute(theirs.values(user_id=to_user_id, authenticated_at=LONG_AGO))


def expired() -> Select[str]:
    """The ids of sessions that are over."""
    idle_since = now() - timedelta(days=IDLE_DAYS)
    is_expired = or_(Session.expires_at < now(), Session.last_seen_at < idle_since)
    return select(Session.id).where(is_expired)


@atomic
def purge(ids: Sequence[str]) -> None:
    """Delete sessions that are over."""
    db.session.execute(delete(Session).where(Session.id.in_(ids)))
