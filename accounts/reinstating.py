"""Verbs of administrators that undo what was done for safety: a suspended identity, a hold and a
planned deletion. Each has its row in the administrators' log.
"""

from accounts import admin_log, holds, identities, orphans, suspensions, users
from accounts.activity import Caller, EventKind
from accounts.admin_log import Act
from models import Identity
from storage import atomic


@atomic
def lift_suspension(user_id: str, identity_id: str, caller: Caller) -> Identity | None:
    """Have a suspended identity open its account again; returns None if it was not suspended.

    Raises AccountDeleted, and NotFound for what is no identity of this person.
    """
    users.lock(user_id)
    identity = identities.own(user_id, identity_id)
    if identity.suspended_at is None:
        return None
    lifted = suspensions.lift(identity)
    identities.record(lifted, EventKind.SUSPENSION_LIFTED, caller)
    admin_log.record(caller, Act.SUSPENSION_LIFTED, user_id=user_id, detail=lifted.provider)
    return lifted


@atomic
def release_hold(user_id: str, caller: Caller) -> bool:
    """Let an account be changed again; returns False if it was not held. Raises AccountDeleted."""
    user = users.lock(user_id)
    if user.held_at is None:
        return False
    holds.release(user, caller)
    admin_log.record(caller, Act.HOLD_RELEASED, user_id=user_id)
    return True


@atomic
def keep(user_id: str, caller: Caller) -> bool:
    """Call off the planned deletion of an account; returns False if none was planned.

    Raises AccountDeleted.
    """
    if users.lock(user_id).delete_due_at is None:
        return False
    orphans.keep(user_id, caller)
    admin_log.record(caller, Act.KEPT, user_id=user_id)
    return True
