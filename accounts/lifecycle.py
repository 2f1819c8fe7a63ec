"""Verbs that disable, enable or delete a whole account."""

from dataclasses import dataclass

import structlog
from sqlalchemy import delete as delete_from

from accounts import activity, actors, endings, identities, sessions, telling, users
from accounts.activity import Caller, EventKind
from accounts.ended_sessions import EndReason
from errors import NotFound
from models import User
from notices.mails import MailKind
from storage import atomic, db, now
from vault import revocations

log = structlog.get_logger()


@dataclass(frozen=True)
class Deleted:
    """A deleted account: its identities by provider and handle, and counts."""

    identities: tuple[tuple[str, str], ...]
    sessions: int
    events: int


@atomic
def delete(
    user_id: str,
    caller: Caller,
    session_id: str | None = None,
    *,
    reason: EndReason = EndReason.DELETED,
) -> Deleted:
    """Delete an account with everything it owns: identities and their tokens, sessions, open flows,
    activity. Its tokens are revoked at the providers soon after. Its browsers are told the reason.

    Raises AccountHeld, and SignedOut: AccountDeleted if it has already been deleted.
    """
    user = actors.lock_to_change(user_id, session_id, caller)
    those = identities.of_user(user_id)
    for identity in those:
        revocations.plan(identity)
    deleted = Deleted(
        tuple((identity.provider, identity.handle) for identity in those),
        len(sessions.of_user(user_id)),
        activity.count(user_id),
    )
    told = telling.addresses_of(those)
    endings.end_person(user_id)
    sessions.end_all(user_id, reason=reason)
    telling.tell(user_id, MailKind.DELETED, caller, before=told)
    # The constraints delete the rest, including rows that a concurrent request has just added.
    db.session.execute(delete_from(User).where(User.id == user.id))
    db.session.expunge_all()
    log.info("account_deleted", user=user_id, address=caller.address)
    return deleted


@atomic
def disable(user_id: str, caller: Caller) -> int:
    """Disable an account and end its sessions; return how many ended.

    An account that is already disabled keeps its time. Raises NotFound.
    """
    user = _find(user_id)
    if user.is_active:
        user.disabled_at = now()
        activity.record(user_id, EventKind.DISABLED, caller)
        endings.end_person(user_id)
    return sessions.end_all(user_id, reason=EndReason.DISABLED)


@atomic
def enable(user_id: str, caller: Caller) -> None:
    """Enable an account again. Raises NotFound."""
    user = _find(user_id)
    if not user.is_active:
        user.disabled_at = None
        activity.record(user_id, EventKind.ENABLED, caller)


def _find(user_id: str) -> User:
    user = users.find_locked(user_id)
    if user is None:
        raise NotFound("the account is gone")
    return user
