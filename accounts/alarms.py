"""Alarms: the links of mails by which a person says that something in their account was not them.

A link is random, stored by its hash, good for 14 days and once. It ends sessions, suspends what was
connected and holds the account. It deletes nothing and signs nobody in, so whoever reads the mail
can at worst keep others out. The hold ends by a sign-in with an identity that was there before.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

import structlog
from sqlalchemy import CursorResult, Select, delete, insert, or_, select, update

from accounts import (
    activity,
    actors,
    ended_sessions,
    endings,
    holds,
    identities,
    sessions,
    suspensions,
    users,
)
from accounts.activity import Caller, EventKind
from accounts.ended_sessions import EndReason
from accounts.holds import Hold
from accounts.models import Alarm
from accounts.refusals import AccountHeld
from accounts.sessions import hash_token
from accounts.suspensions import Suspension
from errors import NotFound
from models import Identity, Session, User
from storage import atomic, db, now

log = structlog.get_logger()

GOOD_DAYS = 14
# For so long a link that is too old, or was used, says so.
KEPT_DAYS = 30
MAX_TOKEN_CHARACTERS = 128


class AlarmKind(StrEnum):
    """The events that a person can disown; the values are stored, and are those of their mails."""

    NEW_DEVICE = "new_device"
    IDENTITY_LINKED = "identity_linked"
    CONNECTED_TO_APP = "connected_to_app"
    EMAIL_CHANGED = "email_changed"
    DOWNLOADED = "downloaded"


# One session did it, and the others stay; what else was done may have been done from any.
OF_ONE_SESSION = frozenset({AlarmKind.NEW_DEVICE, AlarmKind.DOWNLOADED})


class Standing(StrEnum):
    """The state of a link; the button of its page acts while it is open."""

    OPEN = "open"
    DONE = "done"
    TOO_OLD = "too_old"


@dataclass(frozen=True)
class Shown:
    """The contents of a link's page: the event, and no address. ``provider``: its name, ``""`` if
    none is known; ``user_agent`` likewise."""

    kind: AlarmKind
    happened_at: datetime
    standing: Standing
    provider: str
    user_agent: str


def begin(
    user_id: str, kind: str, *, identity_id: str | None = None, session_id: str | None = None
) -> str:
    """Make the link of an event of this kind; return its token. Call within the atomic verb.

    ``identity_id``: what was connected, or signed in. ``session_id``: where it was done. Raises
    ValueError for a kind that nobody can disown.
    """
    which, token = AlarmKind(kind), secrets.token_urlsafe(32)
    is_new = which is AlarmKind.IDENTITY_LINKED
    those = identities.of_user(user_id)
    this = next((each for each in those if each.id == identity_id), None)
    known = [
        each.id
        for each in those
        if each.suspended_at is None and not (is_new and each.id == identity_id)
    ]
    query = select(Session.sid, Session.provider, Session.user_agent)
    where = db.session.execute(query.where(Session.id == session_id)).one_or_none()
    provider = this.provider if this else where.provider if where else ""
    values = {
        "token_hash": hash_token(token),
        "user_id": user_id,
        "kind": which.value,
        "identity_id": identity_id,
        "sid": where.sid if where else None,
        "provider": provider,
        "user_agent": where.user_agent if where else "",
        "known": " ".join(known),
        "created_at": now(),
        "used_at": None,
    }
    db.session.execute(insert(Alarm).values(values))
    return token


def find(token: str) -> Shown:
    """Return what the page of a link shows. Raises NotFound."""
    row = _row(token)
    standing = Standing.OPEN
    if row.used_at is not None:
        standing = Standing.DONE
    elif row.created_at <= _oldest():
        standing = Standing.TOO_OLD
    return Shown(AlarmKind(row.kind), row.created_at, standing, row.provider, row.user_agent)


@atomic
def press(token: str, caller: Caller) -> bool:
    """Do what a link promises; return False, and do nothing, if it was used or is too old.

    Raises NotFound.
    """
    row = _row(token)
    user = users.find_locked(row.user_id)
    if user is None:
        raise NotFound("the account is gone")
    this = (Alarm.token_hash == row.token_hash, Alarm.user_id == user.id)
    still_good = (Alarm.used_at.is_(None), Alarm.created_at > _oldest())
    used = db.session.execute(update(Alarm).where(*this, *still_good).values(used_at=now()))
    if cast(CursorResult[Any], used).rowcount != 1:
        return False
    _stop(user, row, caller)
    return True


def _row(token: str) -> Alarm:
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise NotFound("no such alarm")
    query = select(Alarm).where(Alarm.token_hash == hash_token(token))
    row = db.session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("no such alarm")
    return row


def _oldest() -> datetime:
    return now() - timedelta(days=GOOD_DAYS)


def _stop(user: User, row: Alarm, caller: Caller) -> None:
    """End sessions, suspend what was connected, and hold the account, which is locked."""
    user_id, kind, before, since = user.id, AlarmKind(row.kind), user.email, row.created_at
    if kind in OF_ONE_SESSION and row.sid:
        endings.end_everywhere(user_id, None)  # applications that it let in for longer
        this = (Session.user_id == user_id, Session.sid == row.sid)
        ended_sessions.end(*this, reason=EndReason.NOT_ME)
    else:
        sessions.end_all(user_id, reason=EndReason.NOT_ME)
    linked = next(
        (each for each in identities.of_user(user_id) if each.id == row.identity_id), None
    )
    if kind is AlarmKind.IDENTITY_LINKED and linked:
        endings.end_identity(linked.id)
        suspensions.suspend(linked, Suspension.NOT_ME)
        since = min(since, linked.linked_at)
    holds.hold(user, Hold.NOT_ME, since)
    activity.record(user_id, EventKind.NOT_ME, caller, provider=row.provider, reason=kind.value)
    log.warning("account_alarm", user=user_id, alarm=kind.value)
    db.session.flush()
    db.session.expire_all()  # identities are written past the session
    users.note_email_change(user, before, caller)


# The end of a hold.


def openers(user_id: str) -> list[Identity]:
    """Return the identities by which a person can end a hold that they asked for: those that were
    in the account before each event that they disowned."""
    those = _pressed(user_id)
    if not those:
        return []
    known = set.intersection(*(set((row.known or "").split()) for row in those))
    return [
        each
        for each in identities.of_user(user_id)
        if each.id in known and each.suspended_at is None
    ]


def disowned(user_id: str) -> list[Identity]:
    """Return the identities that a person said are not theirs."""
    return [
        each for each in identities.of_user(user_id) if each.suspended_reason == Suspension.NOT_ME
    ]


def can_end_hold(user_id: str, session_id: str) -> bool:
    """Tell whether a session may end the hold that its person asked for: they signed in for it
    after that, with an identity that was there before."""
    those = _pressed(user_id)
    query = select(Session.identity_id, Session.created_at)
    this = (Session.id == session_id, Session.user_id == user_id)
    session = db.session.execute(query.where(*this)).one_or_none()
    if session is None or not those:
        return False
    is_later = all(row.used_at and session.created_at > row.used_at for row in those)
    return is_later and session.identity_id in {each.id for each in openers(user_id)}


def _pressed(user_id: str) -> Sequence[Alarm]:
    """Return the used links of a hold that has not ended."""
    theirs = (Alarm.user_id == user_id, Alarm.used_at.is_not(None), Alarm.known.is_not(None))
    return db.session.scalars(select(Alarm).where(*theirs)).all()


@atomic
def end_hold(user_id: str, session_id: str, mine: Collection[str], caller: Caller) -> None:
    """End the hold of an account: "It's mine again". ``mine``: the ids of disowned identities that
    are the person's after all; the others stay suspended.

    Raises AccountHeld if the session may not end it, and SignedOut.
    """
    user = actors.lock(user_id, session_id)
    if user.held_reason != Hold.NOT_ME or not can_end_hold(user_id, session_id):
        raise AccountHeld("this session cannot end the hold")
    _release(user, mine, caller)


@atomic
def release(user_id: str, mine: Collection[str], caller: Caller) -> bool:
    """Do the same for a person whom the operator knows, whatever the account is held for; return
    whether it was held. Raises AccountDeleted."""
    user = users.lock(user_id)
    was_held = user.held_at is not None
    _release(user, mine, caller)
    return was_held


def _release(user: User, mine: Collection[str], caller: Caller) -> None:
    before = user.email
    for identity in disowned(user.id):
        if identity.id in mine:
            suspensions.lift(identity)
    pressed = update(Alarm).where(Alarm.user_id == user.id, Alarm.used_at.is_not(None))
    db.session.execute(pressed.values(known=None))
    holds.release(user, caller)
    db.session.flush()
    db.session.expire_all()
    users.note_email_change(user, before, caller)


def move(from_user_id: str, to_user_id: str) -> None:
    """Move the links of an account that is merged into another. Call within the atomic verb."""
    theirs = update(Alarm).where(Alarm.user_id == from_user_id)
    db.session.execute(theirs.values(user_id=to_user_id))


def expired() -> Select[str]:
    """Select the hashes of links that say nothing any more. Those that hold an account are kept."""
    settled = or_(Alarm.used_at.is_(None), Alarm.known.is_(None))
    old = Alarm.created_at < now() - timedelta(days=KEPT_DAYS)
    return select(Alarm.token_hash).where(old, settled)


@atomic
def purge(hashes: Sequence[str]) -> None:
    """Delete these links, by hash."""
    db.session.execute(delete(Alarm).where(Alarm.token_hash.in_(hashes)))
