"""The verb that merges two accounts."""

from accounts import activity, endings, identities, sessions, users
from accounts.activity import Caller, EventKind
from errors import StateMismatch
from models import User
from providers.base import Assertion
from storage import atomic, db


@atomic
def merge(user_id: str, assertion: Assertion, caller: Caller) -> None:
    """Merge the account that an identity opens into this one: its identities, sessions and
    activity. The other account is deleted. The person signed in to both and confirmed.

    Raises StateMismatch if the identity no longer opens another account, or one of the two is
    disabled.
    """
    kept, gone = _lock_both(user_id, assertion)
    before = kept.email_identity
    if before and kept.email_choice is None:
        kept.email_choice = before.id
    kept.name = kept.name or gone.name
    kept.picture = kept.picture or gone.picture
    endings.end_person(gone.id)
    identities.move(gone.id, kept.id)
    sessions.move(gone.id, kept.id)
    activity.move(gone.id, kept.id)
    gone_id = gone.id
    db.session.expire_all()
    db.session.delete(gone)
    identity = identities.find(assertion)
    assert identity is not None
    identities.record(identity.identity, EventKind.MERGED, caller, detail=f"account {gone_id}")
    users.note_email_change(kept, before.email if before else None, caller)


def _lock_both(user_id: str, assertion: Assertion) -> tuple[User, User]:
    """Lock this account, the one that the identity opens, and the identity, always in the same
    order; any other can deadlock."""
    found = identities.find(assertion)
    if found is None or found.identity.user_id == user_id:
        raise StateMismatch("the identity opens no other account any more")
    other_id = found.identity.user_id
    locked = {each: users.lock(each) for each in sorted({user_id, other_id})}
    found = identities.lock(assertion)
    if found is None or found.identity.user_id != other_id:
        raise StateMismatch("the other account changed meanwhile")
    if not all(user.is_active for user in locked.values()):
        raise StateMismatch("one of the accounts is disabled")
    return locked[user_id], locked[other_id]
