"""Signed-in browsers and devices: the only writer of sessions.

The cookie holds a random token, the row its SHA-256, so reading the database lets nobody sign in.
A deleted row ends its session on every instance, from the next request on.
"""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Integer,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    not_,
    select,
    true,
    update,
)
from sqlalchemy.orm import contains_eager

from accounts import ended_sessions, endings
from accounts.activity import Caller
from accounts.begun import Begun, Opener
from accounts.ended_sessions import EndReason
from errors import SignedOut
from models import Session, User
from storage import atomic, db, new_id, now
from storage.compiled import CompiledSelect, CompiledStatement

LIFETIME_DAYS = 90
IDLE_DAYS = 14
SEEN_EVERY_SECONDS = 60
RECENT_SECONDS = 15 * 60
MAX_SESSIONS_PER_USER = 100

# A session is alive: the only definition. Its parameters are in ``alive_at``.
ALIVE = and_(
    Session.expires_at > bindparam("alive_at"), Session.last_seen_at > bindparam("idle_since")
)
# The same, and its user is neither disabled nor waits for approval; with users joined.
LETS_IN = and_(ALIVE, User.disabled_at.is_(None), User.pending_at.is_(None))

_ADD = CompiledStatement(insert(Session))
_FIND = (
    select(Session)
    .join(Session.user)
    .where(Session.token_hash == bindparam("token_hash"), LETS_IN)
    .options(contains_eager(Session.user))
)
_FIND_USUAL = CompiledSelect(
    select(*(Session.__table__.c[each.name] for each in fields(Begun)))
    .join(User, User.id == Session.user_id)
    .where(
        Session.token_hash == bindparam("token_hash"),
        LETS_IN,
        Session.last_seen_at > bindparam("seen_after"),
        Session.sid.is_not(None),
        Session.identity_id.is_not(None),
    ),
    Begun,
)
_OF_USER = (
    select(Session)
    .where(Session.user_id == bindparam("user_id"), ALIVE)
    .order_by(Session.last_seen_at.desc())
)
_KEPT = (
    select(Session.id)
    .where(Session.user_id == bindparam("user_id"))
    .order_by(Session.last_seen_at.desc())
    .limit(bindparam("kept", type_=Integer))
)
_NUMBER = CompiledSelect(select(func.count()).where(Session.user_id == bindparam("user_id")), int)


def alive_at(moment: datetime) -> dict[str, datetime]:
    """Return the parameters of ALIVE and LETS_IN."""
    return {"alive_at": moment, "idle_since": moment - timedelta(days=IDLE_DAYS)}


def hash_token(token: str) -> str:
    """Hash a random secret; it is long enough that a plain hash cannot be reversed."""
    # A token of others may contain a lone surrogate, which plain UTF-8 cannot.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


@atomic
def start(
    identity: Opener,
    caller: Caller,
    *,
    replaces: str | None = None,
    auth_time: float | None = None,
    upstream_sid: str = "",
) -> tuple[Begun, str]:
    """Start a session for the identity's owner; return it and the token for the cookie.

    ``replaces``: the id of this browser's previous session, which ends. If it was the same
    person's, the new one keeps its auth_time: a provider that remembers the person signs in whoever
    sits there without asking, so sensitive acts need a reauthentication (``renew``). It keeps its
    sid too. ``auth_time``: when the person authenticated at the provider, as a Unix time.
    ``upstream_sid``: the provider's name for its session.
    """
    started_at = now()
    kept = _end_replaced(replaces, identity.user_id) if replaces else None
    begun_at, sid = kept or (started_at, None)
    token = secrets.token_urlsafe(32)
    begun = Begun(
        id=new_id(),
        token_hash=hash_token(token),
        user_id=identity.user_id,
        identity_id=identity.id,
        provider=identity.provider,
        sid=sid or new_id(),
        created_at=started_at,
        authenticated_at=begun_at if auth_time is None else moment(auth_time),
        upstream_sid=upstream_sid[:255] or None,
        last_seen_at=started_at,
        expires_at=started_at + timedelta(days=LIFETIME_DAYS),
        user_agent=caller.user_agent[:256],
        address=caller.address,
    )
    _ADD.run(**vars(begun))
    if (_NUMBER.row(user_id=identity.user_id) or 0) > MAX_SESSIONS_PER_USER:
        latest = _KEPT.params(user_id=identity.user_id, kept=MAX_SESSIONS_PER_USER)
        ended_sessions.remove(Session.user_id == identity.user_id, Session.id.not_in(latest))
    return begun, token


def moment(seconds: float) -> datetime:
    """Return a Unix time as a datetime, clamped to now."""
    return datetime.fromtimestamp(min(seconds, now().timestamp()), UTC)


def _end_replaced(session_id: str, user_id: str) -> tuple[datetime, str | None] | None:
    """End a session; return auth_time and sid of its successor, if it is the same user's."""
    query = select(Session.authenticated_at, Session.sid)
    of_same = query.where(Session.id == session_id, Session.user_id == user_id)
    kept = db.session.execute(of_same).one_or_none()
    if kept is None:
        ended_sessions.remove(Session.id == session_id)
        return None
    db.session.execute(delete(Session).where(Session.id == session_id))
    return kept.authenticated_at, kept.sid


def find(token: str | None) -> Session | None:
    """Return the session of a cookie's token, with its user; None if it lets nobody in."""
    if not token or len(token) > 128:
        return None
    return db.session.scalar(_FIND, {"token_hash": hash_token(token), **alive_at(now())})


def find_usual(token: str) -> Begun | None:
    """Return the session of a cookie's token without its user, by a plain statement; None where
    ``find`` must look: it lets nobody in, its use is to be noted, or it has no sid or identity."""
    if len(token) > 128:
        return None
    moment = now()
    seen_after = moment - timedelta(seconds=SEEN_EVERY_SECONDS)
    found = {"token_hash": hash_token(token), "seen_after": seen_after}
    return _FIND_USUAL.row(**found, **alive_at(moment))


def find_begun(session_id: str, tokens: Collection[str]) -> Session | None:
    """Return the session of this id, if it is alive and one of these is its token."""
    expected = db.session.scalar(select(Session.token_hash).where(Session.id == session_id))
    return next((find(token) for token in tokens if hash_token(token) == expected), None)


def is_recent(session: Session | Begun) -> bool:
    """Return whether the person authenticated in the last 15 minutes."""
    return is_recent_moment(session.authenticated_at)


def is_recent_moment(value: datetime) -> bool:
    return value > now() - timedelta(seconds=RECENT_SECONDS)


@atomic
def touch(session_id: str, **columns: str) -> None:
    """Note that a session is in use; ``columns``: what else is known now, such as its address."""
    this = update(Session).where(Session.id == session_id)
    db.session.execute(this.values(last_seen_at=now(), **columns))


def needs_touch(session: Session) -> bool:
    return session.last_seen_at < now() - timedelta(seconds=SEEN_EVERY_SECONDS)


@atomic
def renew(session_id: str, *, reauthenticated_with: str | None = None) -> str:
    """Return a new token for a session that gained rights, also by a reauthentication with this
    provider; the old one stops working. Raises SignedOut if the session has ended."""
    token = secrets.token_urlsafe(32)
    values: dict[str, object] = {"token_hash": hash_token(token)}
    if reauthenticated_with:
        values |= {"authenticated_at": now(), "reauthenticated_with": reauthenticated_with}
    result = db.session.execute(update(Session).where(Session.id == session_id).values(**values))
    if isinstance(result, CursorResult) and result.rowcount != 1:
        raise SignedOut("the session has ended")
    return token


def of_user(user_id: str) -> Sequence[Session]:
    """Return a person's sessions that are alive, last seen first."""
    return db.session.scalars(_OF_USER, {"user_id": user_id, **alive_at(now())}).all()


def count_of_identity(identity_id: str, kept_id: str | None) -> int:
    """Return how many living sessions an identity started, except one."""
    return _count_alive(*of_identity(identity_id, kept_id))


def exists(session_id: str) -> bool:
    """Tell whether a session has not been ended."""
    return bool(db.session.scalar(select(Session.id).where(Session.id == session_id)))


def count_alive() -> int:
    """Return how many sessions are alive, of enabled and disabled users."""
    return _count_alive()


def _count_alive(*which: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(Session).where(ALIVE, *which)
    return db.session.scalar(query, alive_at(now())) or 0


@atomic
def end(user_id: str, session_id: str, reason: EndReason | None = None) -> Session | None:
    """End one of this person's sessions; return None if there is no such session.

    ``reason``: what its browser is told; None if its own person ends it.
    """
    # Compared here: PostgreSQL refuses some texts that an id from a URL may hold.
    session = next((row for row in of_user(user_id) if row.id == session_id), None)
    if session is not None:
        this = Session.id == session.id
        ended_sessions.end(this, reason=reason) if reason else ended_sessions.remove(this)
    return session


@atomic
def end_others(user_id: str, kept_id: str) -> int:
    """End all of this person's sessions but one, and offline access; return how many."""
    kept_sid = db.session.scalar(select(Session.sid).where(Session.id == kept_id))
    endings.end_everywhere(user_id, kept_sid)
    return ended_sessions.end(
        Session.user_id == user_id, Session.id != kept_id, reason=EndReason.ELSEWHERE
    )


@atomic
def end_all(user_id: str | None = None, *, reason: EndReason = EndReason.OPERATOR) -> int:
    """End all sessions of a person, or of everybody, and offline access; return how many."""
    endings.end_everywhere(user_id)
    those = true() if user_id is None else Session.user_id == user_id
    count = ended_sessions.end(those, reason=reason)
    endings.end_everywhere(user_id)  # again: where no account is locked, some began meanwhile
    return count


@atomic
def end_of_identity(
    identity_id: str, kept_id: str | None, reason: EndReason = EndReason.IDENTITY_REMOVED
) -> int:
    """End the sessions that an identity started, except one; return how many."""
    endings.end_identity(identity_id)
    return ended_sessions.end(*of_identity(identity_id, kept_id), reason=reason)


def of_identity(identity_id: str, kept_id: str | None) -> list[ColumnElement[bool]]:
    """Return the conditions of the sessions that an identity started, except one."""
    theirs = Session.identity_id == identity_id
    return [theirs] if kept_id is None else [theirs, Session.id != kept_id]


def expired() -> Select[str]:
    """Select the ids of sessions that are not alive."""
    return select(Session.id).where(not_(ALIVE)).params(alive_at(now()))


@atomic
def purge(ids: Sequence[str]) -> None:
    """Delete expired sessions, by id."""
    ended_sessions.remove(Session.id.in_(ids))
