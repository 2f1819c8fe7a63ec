"""The person who acts: their account stays locked, and their session alive, until the verb ends.

A request reads its session first and acts later. Meanwhile the account may have been deleted, or
the session ended from another device, so each verb looks again, under the lock.
"""

from sqlalchemy import bindparam, select

from accounts import holds, identities, users
from accounts.activity import Caller
from accounts.identities import Found
from errors import SignedOut
from models import Session, User
from providers.base import Assertion
from storage.compiled import CompiledSelect

_SESSION = CompiledSelect(
    select(Session.id).where(
        Session.id == bindparam("session_id"), Session.user_id == bindparam("user_id")
    ),
    str,
)


def lock(user_id: str, session_id: str | None) -> User:
    """Lock the account of the person who acts.

    ``session_id``: the session that they act with; None for a bearer token or a command. Raises
    AccountDeleted, or SignedOut if that session has ended.
    """
    user = users.lock(user_id)
    if session_id is not None and _SESSION.row(session_id=session_id, user_id=user_id) is None:
        raise SignedOut("the session has ended")
    return user


def lock_to_change(user_id: str, session_id: str | None, caller: Caller) -> User:
    """Do the same for a change that waits while the account is held. Raises AccountHeld too."""
    user = lock(user_id, session_id)
    holds.check(user, caller)
    return user


def lock_with_owner(
    user_id: str, session_id: str | None, assertion: Assertion
) -> tuple[User, Found | None]:
    """Do the same, and lock an identity with the account that it opens, if it is known."""
    found = identities.find(assertion)
    users.lock_all({user_id} | ({found.identity.user_id} if found else set()))
    return lock(user_id, session_id), identities.lock(assertion)
