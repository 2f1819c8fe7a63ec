"""Verbs of an alarm: sessions end, what was connected is suspended, and the account is held until
its person has signed in with an identity that was there before, and says that it is theirs again.
"""

from collections.abc import Collection

import structlog

from accounts import (
    activity,
    actors,
    addresses,
    alarms,
    ended_sessions,
    endings,
    holds,
    identities,
    sessions,
    suspensions,
    users,
)
from accounts.activity import Caller, EventKind
from accounts.addresses import Earlier
from accounts.alarms import AlarmKind
from accounts.ended_sessions import EndReason
from accounts.holds import Hold
from accounts.models import Alarm
from accounts.refusals import AccountHeld
from accounts.suspensions import Suspension
from errors import NotFound
from models import Identity, Session, User
from storage import atomic, db

log = structlog.get_logger()


@atomic
def press(token: str, caller: Caller) -> bool:
    """Do what a link promises; return False, and do nothing, if it was used or is too old.

    Raises NotFound.
    """
    row = alarms.find_row(token)
    user = users.find_locked(row.user_id)
    if user is None:
        raise NotFound("the account is gone")
    if not alarms.use(row, user.id):
        return False
    _stop(user, row, caller)
    return True


def _stop(user: User, row: Alarm, caller: Caller) -> None:
    """End sessions, suspend what was connected, and hold the account, which is locked."""
    user_id, kind, before, since = user.id, AlarmKind(row.kind), user.email, row.created_at
    if user.held_reason != Hold.NOT_ME:
        alarms.settle(user_id, but=row.token_hash)  # an operator may have ended the hold before
    if alarms.is_of_one_session(row):
        endings.end_everywhere(user_id)  # applications that it let in for longer
        this = (Session.user_id == user_id, Session.sid == row.sid)
        ended_sessions.end(*this, reason=EndReason.NOT_ME)
    else:
        sessions.end_all(user_id, reason=EndReason.NOT_ME)
    if kind is AlarmKind.IDENTITY_LINKED and (linked := _find(user_id, row.identity_id)):
        endings.end_identity(linked.id)
        suspensions.suspend(linked, Suspension.NOT_ME)
        since = min(since, linked.linked_at)
    holds.hold(user, Hold.NOT_ME, since)
    facts = {"provider": row.provider, "reason": kind.value}
    activity.record(user_id, EventKind.NOT_ME, caller, **facts)
    log.warning("account_alarm", user=user_id, alarm=kind.value)
    _note_address(user, before, caller)


def _find(user_id: str, identity_id: str | None) -> Identity | None:
    return next((each for each in identities.of_user(user_id) if each.id == identity_id), None)


def _note_address(user: User, before: str | None, caller: Caller) -> None:
    db.session.flush()
    db.session.expire_all()  # identities are written past the session
    # The addresses of disowned identities hear nothing: they may be those of somebody else.
    addresses.note_change(user, Earlier(before, ()), caller)


def openers(user_id: str) -> list[Identity]:
    """Return the identities by which a person can end a hold that they asked for: those that were
    in the account before each event that they disowned."""
    known = alarms.known_before(user_id)
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
    session = db.session.get(Session, session_id)
    used_at = alarms.last_used(user_id)
    if session is None or session.user_id != user_id or used_at is None:
        return False
    is_later = session.created_at > used_at
    return is_later and session.identity_id in {each.id for each in openers(user_id)}


@atomic
def end_hold(user_id: str, session_id: str, mine: Collection[str], caller: Caller) -> None:
    """End the hold of an account: "It's mine again". ``mine``: the ids of disowned identities that
    are the person's after all; the others stay suspended.

    Raises AccountHeld if the session may not end it, and SignedOut.
    """
    user = actors.lock(user_id, session_id)
    if user.held_reason != Hold.NOT_ME or not can_end_hold(user_id, session_id):
        raise AccountHeld("this session cannot end the hold")
    before = user.email
    for identity in disowned(user.id):
        if identity.id in mine:
            suspensions.lift(identity)
    alarms.settle(user_id)
    holds.release(user, caller)
    _note_address(user, before, caller)
