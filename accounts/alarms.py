"""Alarms: the links of mails by which a person says that something in their account was not them.

A link is random, stored by its hash, good for 14 days and once. disowning.py does what it promises:
it deletes nothing and signs nobody in, so whoever reads the mail can at worst keep others out.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import CursorResult, Select, delete, insert, or_, select, update

from accounts import identities
from accounts.models import Alarm
from accounts.sessions import hash_token
from errors import NotFound
from models import Session, User
from storage import atomic, db, now

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
    is_of_one_session: bool


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
    row = find_row(token)
    standing = Standing.OPEN
    if row.used_at is not None:
        standing = Standing.DONE
    elif row.created_at <= _oldest():
        standing = Standing.TOO_OLD
    return Shown(
        AlarmKind(row.kind),
        row.created_at,
        standing,
        row.provider,
        row.user_agent,
        is_of_one_session(row),
    )


def find_row(token: str) -> Alarm:
    """Return the row of a link, as it is now. Raises NotFound."""
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise NotFound("no such alarm")
    query = select(Alarm).where(Alarm.token_hash == hash_token(token))
    row = db.session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("no such alarm")
    return row


def _oldest() -> datetime:
    return now() - timedelta(days=GOOD_DAYS)


def use(row: Alarm, user_id: str) -> bool:
    """Note that a link was used; return False if it was already, is too old, or the account was
    merged into another meanwhile. The account is locked."""
    this = (Alarm.token_hash == row.token_hash, Alarm.user_id == user_id)
    still_good = (Alarm.used_at.is_(None), Alarm.created_at > _oldest())
    used = db.session.execute(update(Alarm).where(*this, *still_good).values(used_at=now()))
    return cast(CursorResult[Any], used).rowcount == 1


def is_of_one_session(row: Alarm) -> bool:
    """Tell whether the event was the act of one session that is known."""
    return row.sid is not None and row.kind in OF_ONE_SESSION


def known_before(user_id: str) -> set[str]:
    """Return the ids of the identities that were in an account before each event that its person
    disowned; none if they disowned nothing."""
    rows = _pressed(user_id)
    known = [set((row.known or "").split()) for row in rows]
    return set.intersection(*known) if known else set()


def last_used(user_id: str) -> datetime | None:
    """Return when a person last disowned something, in the present hold."""
    return max((row.used_at for row in _pressed(user_id) if row.used_at), default=None)


def _pressed(user_id: str) -> Sequence[Alarm]:
    theirs = (Alarm.user_id == user_id, Alarm.used_at.is_not(None), Alarm.known.is_not(None))
    return db.session.scalars(select(Alarm).where(*theirs)).all()


def settle(user_id: str, *, but: str = "") -> None:
    """Let the used links of a person, except one, hold nothing any more. Call within the atomic
    verb."""
    used = (Alarm.used_at.is_not(None), Alarm.token_hash != but)
    change = update(Alarm).where(Alarm.user_id == user_id, *used)
    db.session.execute(change.values(known=None))


def move(from_user_id: str, to_user_id: str) -> None:
    """Move the links of an account that is merged into another. Call within the atomic verb."""
    theirs = update(Alarm).where(Alarm.user_id == from_user_id)
    db.session.execute(theirs.values(user_id=to_user_id))


def expired() -> Select[str]:
    """Select the hashes of links that say nothing any more. Those that hold an account are kept."""
    held = select(User.id).where(User.held_at.is_not(None))
    settled = or_(Alarm.used_at.is_(None), Alarm.known.is_(None), Alarm.user_id.not_in(held))
    old = Alarm.created_at < now() - timedelta(days=KEPT_DAYS)
    return select(Alarm.token_hash).where(old, settled)


@atomic
def purge(hashes: Sequence[str]) -> None:
    """Delete these links, by hash."""
    db.session.execute(delete(Alarm).where(Alarm.token_hash.in_(hashes)))
