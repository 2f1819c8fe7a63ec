"""Holds: an account whose changes wait, because somebody else may have got into it.

While an account is held nobody links, unlinks, merges, deletes or downloads in it. Operators may.
"""

from datetime import datetime
from enum import StrEnum

from accounts import activity
from accounts.activity import Caller, EventKind
from accounts.refusals import AccountHeld
from models import User
from storage import now


class Hold(StrEnum):
    """Why an account is held; the values are stored."""

    # A provider said that its account was hijacked: a later sign-in ends that.
    HIJACKED = "hijacked"
    # The person said that a change was not theirs: they end that themselves.
    NOT_ME = "not_me"


def hold(user: User, reason: Hold, since: datetime | None = None) -> None:
    """Hold an account. A hold that the person asked for is not replaced. The account is locked.

    ``since``: when it became necessary, if that is earlier.
    """
    if user.held_reason != Hold.NOT_ME:
        user.held_at, user.held_reason = min(since or now(), now()), reason.value


def release(user: User, caller: Caller) -> None:
    """End a hold. The account is locked."""
    if user.held_at is not None:
        user.held_at = user.held_reason = None
        activity.record(user.id, EventKind.RELEASED, caller)


def check(user: User, caller: Caller) -> None:
    """Raise AccountHeld if an account is held and its operator is not who acts."""
    if user.held_at is not None and not caller.is_operator:
        raise AccountHeld(user.held_reason or "")
