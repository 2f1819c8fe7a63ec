"""The operator's verb that moves an identity to the account that its person had before."""

from dataclasses import dataclass, replace

from sqlalchemy import select

from accounts import activity, addresses, endings, identities, sessions, telling, users
from accounts.activity import Caller, EventKind
from accounts.addresses import Earlier
from accounts.ended_sessions import EndReason
from errors import NotFound, Problem
from models import Identity, OAuth, User
from notices.mails import MailKind
from storage import atomic, db


@dataclass(frozen=True)
class Moved:
    """A moved identity: the account that it left, whether that is deleted, and how many of its
    sessions ended."""

    from_user_id: str
    is_deleted: bool
    sessions: int


@atomic
def move_identity(identity_id: str, user_id: str, caller: Caller) -> Moved:
    """Move an identity to another account. The sessions that it started end.

    An account that would be left without any identity is deleted: nobody could sign in to it.
    Raises NotFound if identity or account are gone, and Problem if it is there already.
    """
    from_id = db.session.scalar(select(OAuth.user_id).where(OAuth.id == identity_id))
    if from_id is None:
        raise NotFound("There is no such identity")
    if from_id == user_id:
        raise Problem("The identity is in that account already")
    users.lock_all({from_id, user_id})
    to, left = users.lock(user_id), users.lock(from_id)
    identity = identities.own(from_id, identity_id)
    before = addresses.remember(to), addresses.remember(left)
    identities.move_one(identity_id, user_id)
    if left.email_choice == identity_id:
        left.email_choice = None
    moved = _leave(left, identity)
    for user, earlier in ((to, before[0]), (left, before[1])):
        if user is to or not moved.is_deleted:
            db.session.expire(user, ["identity_rows"])
            addresses.note_change(user, earlier, caller)
    _record(identity, user_id, moved, caller)
    _tell(identity, user_id, moved, before, caller)
    return moved


def _leave(left: User, identity: Identity) -> Moved:
    """End what the identity leaves behind in its old account."""
    from_id = left.id
    ended = sessions.end_of_identity(identity.id, None, reason=EndReason.IDENTITY_MOVED)
    is_deleted = not identities.of_user(from_id)
    if is_deleted:
        endings.end_person(from_id)
        ended += sessions.end_all(from_id, reason=EndReason.IDENTITY_MOVED)
        db.session.expire(left, ["identity_rows"])
        db.session.delete(left)
        db.session.flush()
    return Moved(from_id, is_deleted, ended)


def _record(identity: Identity, user_id: str, moved: Moved, caller: Caller) -> None:
    """Tell both accounts."""
    facts = {"provider": identity.provider, "detail": identity.handle}
    activity.record(user_id, EventKind.IDENTITY_MOVED, caller, reason="here", **facts)
    if not moved.is_deleted:
        activity.record(
            moved.from_user_id, EventKind.IDENTITY_MOVED, caller, reason="away", **facts
        )


def _tell(
    identity: Identity, user_id: str, moved: Moved, before: tuple[Earlier, Earlier], caller: Caller
) -> None:
    """Tell the persons of both accounts."""
    to, left = before
    here = replace(identity, user_id=user_id)
    telling.tell_of_identity(here, MailKind.IDENTITY_LINKED, caller, to.told)
    if not moved.is_deleted:
        telling.tell_of_identity(identity, MailKind.IDENTITY_REMOVED, caller, left.told)
