"""Orphans: accounts that nothing opens any more, because the provider's account is gone.

Such an account keeps the key of its last identity, without anything that came from the provider, so
that its person can still come back; else it is deleted on the planned day.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Select, select

from accounts import (
    activity,
    addresses,
    endings,
    entry,
    identities,
    lifecycle,
    linking,
    sessions,
    telling,
    users,
)
from accounts.activity import HOUSEKEEPING, Caller, EventKind
from accounts.ended_sessions import EndReason
from accounts.identities import Values
from accounts.rules import Policy
from models import Identity, User
from notices.mails import MailKind
from storage import atomic, db, now
from vault import tokens


def remove_or_orphan(identity: Identity, policy: Policy, caller: Caller) -> bool:
    """Remove an identity, or strip it and plan the deletion of its account if that has no other
    way in; return whether it is planned. The account is locked."""
    user = users.lock(identity.user_id)
    earlier = addresses.remember(user)
    _forget_profile(user, identity)
    is_last = not linking.others_usable(identities.of_user(user.id), identity.id, policy)
    if is_last:
        _strip(identity)
        endings.end_identity(identity.id)
        sessions.end_all(user.id, reason=EndReason.PROVIDER)
        _plan_deletion(user, identity, earlier.told, policy, caller)
    else:
        sessions.end_of_identity(identity.id, None, EndReason.PROVIDER)
        identities.remove(identity)
    db.session.flush()
    db.session.expire(user, ["identity_rows"])
    addresses.note_change(user, earlier, caller)
    entry.follow(user.id, policy, caller)
    return user.delete_due_at is not None


def _forget_profile(user: User, identity: Identity) -> None:
    """Take away a name and a picture that came from an identity."""
    if user.picture and user.picture == identity.profile.get("picture"):
        user.picture = None
    if user.name and user.name in (identity.profile.get("name"), identity.profile.get("username")):
        user.name = None


def _strip(identity: Identity) -> None:
    columns: Values = {
        "email": None,
        "email_key": None,
        "email_verified": False,
        "email_trusted": False,
    }
    columns |= {"profile": {}, "scopes": "", "read_at": None}
    identities.change(identity, columns | tokens.ended_columns())


def _plan_deletion(
    user: User, identity: Identity, told: Sequence[str], policy: Policy, caller: Caller
) -> None:
    if policy.orphan_days is None or user.delete_due_at is not None:
        return
    user.delete_due_at = now() + timedelta(days=policy.orphan_days)
    detail = user.delete_due_at.date().isoformat()
    activity.record(user.id, EventKind.DELETION_PLANNED, caller, detail=detail)
    facts = {"provider": identity.provider, "date": detail}
    telling.tell(user.id, MailKind.DELETION_PLANNED, caller, before=told, **facts)


@atomic
def keep(user_id: str, caller: Caller) -> None:
    """Keep an account whose deletion was planned, as its person or an operator says.

    Raises AccountDeleted.
    """
    user = users.lock(user_id)
    if user.delete_due_at is not None:
        user.delete_due_at = None
        activity.record(user_id, EventKind.KEPT, caller)


def due() -> Select[str]:
    """Select the ids of accounts whose deletion is due."""
    return select(User.id).where(User.delete_due_at < now())


@atomic
def purge(ids: Sequence[str]) -> None:
    """Delete these accounts, unless their person came back meanwhile."""
    for user_id in sorted(ids):
        user = users.find_locked(user_id)
        if user is not None and user.delete_due_at is not None and user.delete_due_at < now():
            lifecycle.delete(user_id, HOUSEKEEPING)
