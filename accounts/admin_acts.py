"""Verbs of administrators about others, by command or on a page: people's verbs, each with its
row in the administrators' log.

``policy``: given on pages, where the last administrator cannot be lost; commands leave it out.
"""

from collections.abc import Collection

from access import invitations
from access.invitations import Invitation
from accounts import (
    admin_log,
    admins,
    lifecycle,
    linking,
    membership,
    moving,
    sessions,
    signing_out,
    telling,
    users,
)
from accounts.activity import Caller
from accounts.admin_log import Act
from accounts.ended_sessions import EndReason
from accounts.lifecycle import Deleted
from accounts.linking import Removed
from accounts.moving import Moved
from accounts.rules import Policy
from models import Session
from notices import sending
from storage import atomic
from vault import revocations


@atomic
def disable(user_id: str, caller: Caller, policy: Policy | None = None) -> int:
    """Disable an account; return how many sessions ended. Raises NotFound or LastAdmin."""
    if policy:
        admins.keep_another(user_id, policy)
    user = users.find_locked(user_id)
    was_active = user is not None and user.is_active
    ended = lifecycle.disable(user_id, caller)
    if was_active:
        admin_log.record(caller, Act.DISABLED, user_id=user_id, detail=str(ended))
    return ended


@atomic
def enable(user_id: str, caller: Caller) -> None:
    """Enable an account again. Raises NotFound."""
    user = users.find_locked(user_id)
    was_active = user is not None and user.is_active
    lifecycle.enable(user_id, caller)
    if not was_active:
        admin_log.record(caller, Act.ENABLED, user_id=user_id)


@atomic
def delete(user_id: str, caller: Caller, policy: Policy | None = None) -> Deleted:
    """Delete an account with everything it owns. Raises AccountDeleted or LastAdmin."""
    if policy:
        admins.keep_another(user_id, policy)
    deleted = lifecycle.delete(user_id, caller)
    admin_log.record(caller, Act.DELETED, user_id=user_id)
    return deleted


@atomic
def unmake_admin(user_id: str, caller: Caller, policy: Policy | None = None) -> bool:
    """Take the right to administer away; returns False if the person did not have it by their row.

    Raises AccountDeleted or LastAdmin.
    """
    if policy:
        admins.keep_another(user_id, policy)
    return admins.unmake(user_id, caller)


@atomic
def end_session(user_id: str, session_id: str, caller: Caller) -> Session:
    """End one session of a person. Raises AccountDeleted or NotFound."""
    ended = signing_out.end_session(user_id, session_id, caller, reason=EndReason.OPERATOR)
    admin_log.record(caller, Act.SESSION_ENDED, user_id=user_id)
    return ended


@atomic
def end_sessions(user_id: str, caller: Caller) -> int:
    """End all sessions of a person; return how many. Raises AccountDeleted."""
    count = signing_out.end_other_sessions(user_id, caller)
    admin_log.record(caller, Act.SESSIONS_ENDED, user_id=user_id, detail=str(count))
    return count


@atomic
def end_everybodys_sessions(caller: Caller) -> int:
    """End all sessions of everybody; return how many."""
    count = sessions.end_all()
    admin_log.record(caller, Act.SESSIONS_ENDED, target="everybody", detail=str(count))
    return count


@atomic
def move_identity(identity_id: str, user_id: str, caller: Caller) -> Moved:
    """Move an identity to another account. Raises NotFound or Problem."""
    moved = moving.move_identity(identity_id, user_id, caller)
    admin_log.record(caller, Act.IDENTITY_MOVED, user_id=user_id, target=moved.from_user_id)
    return moved


@atomic
def unlink(user_id: str, identity_id: str, policy: Policy, caller: Caller) -> Removed:
    """Remove an identity of a person. Raises AccountDeleted, NotFound or LastWayIn."""
    removed = linking.unlink(user_id, identity_id, policy, None, caller)
    provider = removed.identity.provider
    admin_log.record(caller, Act.IDENTITY_REMOVED, user_id=user_id, detail=provider)
    return removed


@atomic
def join_group(user_id: str, name: str, caller: Caller) -> bool:
    """Put a person into a group by hand; returns False if they were in it by hand already.

    Raises ValueError for what is no name of a group, and AccountDeleted.
    """
    is_added = membership.join_group(user_id, name, caller)
    if is_added:
        admin_log.record(caller, Act.GROUP_JOINED, user_id=user_id, detail=name)
    return is_added


@atomic
def leave_group(user_id: str, name: str, caller: Caller) -> bool:
    """Take a person out of a group; returns whether they were in it. Raises AccountDeleted."""
    is_removed = membership.leave_group(user_id, name, caller)
    if is_removed:
        admin_log.record(caller, Act.GROUP_LEFT, user_id=user_id, detail=name)
    return is_removed


@atomic
def add_invitation(
    caller: Caller,
    *,
    email: str | None,
    groups: Collection[str],
    uses: int,
    days: int,
    bypass: bool = False,
    is_mailed: bool = False,
) -> tuple[Invitation, str]:
    """Make an invitation; return it and the token of its link, which is not stored.

    ``is_mailed``: the link goes to ``email`` by mail, if this site sends any.
    """
    invitation, token = invitations.add(
        email=email, groups=groups, uses=uses, days=days, bypass=bypass
    )
    if is_mailed and email:
        telling.tell_of_invitation(email, token, invitation.expires_at)
    admin_log.record(caller, Act.INVITATION_ADDED, target=invitation.id)
    return invitation, token


@atomic
def remove_invitation(invitation_id: str, caller: Caller) -> bool:
    """Withdraw an invitation; returns whether there was one."""
    is_removed = invitations.remove(invitation_id)
    if is_removed:
        admin_log.record(caller, Act.INVITATION_REMOVED, target=invitation_id)
    return is_removed


@atomic
def retry_revocations(caller: Caller) -> int:
    """Have all provider tokens revoked now that wait for another attempt; return how many rows."""
    count = revocations.retry()
    if count:
        detail = str(count)
        admin_log.record(caller, Act.OUTBOX_RETRIED, target="revocations", detail=detail)
    return count


@atomic
def retry_mails(caller: Caller) -> int:
    """Have all mails sent now that wait for another attempt; return how many rows."""
    count = sending.retry()
    if count:
        admin_log.record(caller, Act.OUTBOX_RETRIED, target="mails", detail=str(count))
    return count
