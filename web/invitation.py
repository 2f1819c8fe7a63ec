"""The invitation whose link this browser opened: kept for an hour, until somebody signs in."""

import time

from flask import session as browser_cookie

from access import invitations
from access.invitations import Invitation
from access.refusals import (
    InvitationAddress,
    InvitationExpired,
    InvitationUnknown,
    InvitationUnverified,
    InvitationUsed,
)
from errors import Problem
from web.context import site

# In Flask's signed cookie: the invitation's id, and until when it is kept, as a Unix time.
KEPT = "invitation"
KEPT_SECONDS = 3600
SPENT = (InvitationUnknown, InvitationUsed, InvitationExpired)
NOT_THEIRS = (InvitationAddress, InvitationUnverified)


def keep_invitation(invitation: Invitation) -> None:
    browser_cookie[KEPT] = [invitation.id, int(time.time()) + KEPT_SECONDS]


def kept_invitation_id() -> str | None:
    """Return the id of the invitation that a new account would use."""
    invitation_id, until = browser_cookie.get(KEPT) or ("", 0)
    return invitation_id if until > time.time() else None


def kept_invitation() -> Invitation | None:
    """Return that invitation, for a page, if it still opens an account."""
    invitation_id = kept_invitation_id()
    if invitation_id is None or site().policy.signups == "closed":
        return None
    invitation = invitations.of_id(invitation_id)
    return invitation if invitation and invitations.is_usable(invitation) else None


def forget_invitation_after(error: Problem) -> None:
    """Forget an invitation that opens no account. One for another address stays, unless its person
    can have an account without it."""
    is_needed = site().policy.signups == "invited"
    if isinstance(error, SPENT) or (isinstance(error, NOT_THEIRS) and not is_needed):
        browser_cookie.pop(KEPT, None)
