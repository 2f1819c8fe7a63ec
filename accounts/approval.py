"""Accounts that wait for the operator's approval: their sessions, and the operator's verbs."""

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import contains_eager

from accounts import activity, admin_log, lifecycle, telling, users
from accounts.activity import Caller, EventKind
from accounts.admin_log import Act
from accounts.ended_sessions import EndReason
from accounts.lifecycle import Deleted
from accounts.sessions import ALIVE, alive_at, hash_token
from errors import AccountDeleted, NotFound
from models import Session, User
from notices.mails import MailKind
from storage import atomic, db, now

TOKEN_MAX_CHARACTERS = 128
# A session is alive, and its user waits for approval; with users joined.
WAITS = and_(ALIVE, User.disabled_at.is_(None), User.pending_at.is_not(None))
_FIND = (
    select(Session)
    .join(Session.user)
    .where(Session.token_hash == bindparam("token_hash"), WAITS)
    .options(contains_eager(Session.user))
)


def find_session(token: str) -> Session | None:
    """Return the session of a cookie's token, with its user, if that waits for approval."""
    if len(token) > TOKEN_MAX_CHARACTERS:
        return None
    return db.session.scalar(_FIND, {"token_hash": hash_token(token), **alive_at(now())})


@atomic
def approve(user_id: str, caller: Caller) -> bool:
    """Let a person in whose account waits for approval; returns False if it does not wait.

    Raises NotFound.
    """
    user = _lock(user_id)
    if not user.is_pending:
        return False
    user.pending_at = None
    activity.record(user_id, EventKind.APPROVED, caller)
    telling.tell(user_id, MailKind.APPROVED, caller)
    admin_log.record(caller, Act.APPROVED, user_id=user_id)
    return True


@atomic
def reject(user_id: str, caller: Caller) -> Deleted | None:
    """Delete an account that waits for approval; returns None if it does not wait.

    Raises NotFound.
    """
    if not _lock(user_id).is_pending:
        return None
    deleted = lifecycle.delete(user_id, caller, reason=EndReason.REJECTED)
    admin_log.record(caller, Act.REJECTED, user_id=user_id)
    return deleted


def _lock(user_id: str) -> User:
    try:
        return users.lock(user_id)
    except AccountDeleted:
        raise NotFound("the account is gone") from None
