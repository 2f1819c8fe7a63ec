"""The verb that merges two accounts."""

from access import checks, groups
from accounts import (
    activity,
    actors,
    addresses,
    admins,
    alarms,
    endings,
    holds,
    identities,
    sessions,
    telling,
    users,
)
from accounts.activity import Caller, EventKind
from accounts.ended_sessions import EndReason
from errors import StateMismatch
from models import User, address_of
from notices import mails
from providers.base import Assertion
from storage import atomic, db


@atomic
def merge(
    user_id: str, assertion: Assertion, caller: Caller, session_id: str | None = None
) -> None:
    """Merge the account that an identity opens into this one: its identities, activity, groups that
    no rule gave, and the right to administer. Its sessions end, and it is deleted with its name and
    picture; this account keeps its own, and its address. The person signed in to both and
    confirmed.

    Raises SignedOut if this account or the session is gone, and StateMismatch if the identity no
    longer opens another account, or one of the two is disabled.
    """
    kept, gone = _lock_both(user_id, session_id, assertion)
    for user in (kept, gone):
        holds.check(user, caller)
    earlier, theirs = addresses.remember(kept), addresses.remember(gone)
    kept.email_choice = _choice(kept)
    endings.end_person(gone.id)
    identities.move(gone.id, kept.id)
    groups.move(gone.id, kept.id)
    alarms.move(gone.id, kept.id)
    kept.admitted_at = kept.admitted_at or gone.admitted_at
    if gone.admin_at is not None:
        admins.make(kept.id, caller)
    ended = len(sessions.of_user(gone.id))
    sessions.end_all(gone.id, reason=EndReason.MERGED)
    activity.move(gone.id, kept.id)
    mails.move(gone.id, kept.id)
    gone_id = gone.id
    db.session.expire_all()
    db.session.delete(gone)
    identity = identities.find(assertion)
    assert identity is not None
    identities.record(identity.identity, EventKind.MERGED, caller, detail=f"account {gone_id}")
    checks.make_due(identity.identity.id)
    if ended:
        activity.record(kept.id, EventKind.SESSIONS_ENDED, caller, detail=str(ended))
    telling.tell_of_merge(kept.id, earlier.told, theirs.told, caller)
    addresses.note_change(kept, earlier, caller)


def address_after(kept: User, gone: User) -> str | None:
    """Return what the person's address would be after a merge."""
    both = sorted([*kept.identities, *gone.identities], key=lambda each: each.linked_at)
    identity = address_of(both, _choice(kept))
    return identity.email if identity else None


def _choice(kept: User) -> str | None:
    """Return the identity whose address stays the person's when older ones are added."""
    current = kept.email_identity
    return kept.email_choice or (current.id if current else None)


def _lock_both(user_id: str, session_id: str | None, assertion: Assertion) -> tuple[User, User]:
    """Lock this account, the one that the identity opens, and the identity."""
    kept, found = actors.lock_with_owner(user_id, session_id, assertion)
    if found is None or found.identity.user_id == user_id:
        raise StateMismatch("the identity opens no other account any more")
    gone = users.lock(found.identity.user_id)
    if not (kept.is_active and gone.is_active):
        raise StateMismatch("one of the accounts is disabled")
    return kept, gone
