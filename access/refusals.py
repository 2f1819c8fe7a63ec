"""The refusals of invitations, of approval, and of people about whom a provider says too little for
the rules. The texts for visitors are in web/text/errors.py."""

from errors import SignInError


class InvitationRefused(SignInError):
    """A new account needs an invitation, or the one that was brought opens none."""

    status = 403


class InvitationNeeded(InvitationRefused):
    """`SIGNUPS` is `invited`; the identity belongs to no account, and this browser has not opened
    the link of an invitation."""

    code = "invitation_needed"


class InvitationUnknown(InvitationRefused):
    """An invitation was withdrawn, its link is unknown here, or `SIGNUPS` is `closed`."""

    code = "invitation_unknown"


class InvitationUsed(InvitationRefused):
    """An invitation has opened as many accounts as it may."""

    code = "invitation_used"


class InvitationExpired(InvitationRefused):
    """An invitation has expired."""

    code = "invitation_expired"


class InvitationAddress(InvitationRefused):
    """An invitation is for another address than the identity has."""

    code = "invitation_address"


class InvitationUnverified(InvitationRefused):
    """An invitation is for this address, and the provider does not verify it."""

    code = "invitation_unverified"


class AccountPending(SignInError):
    """The account waits for the operator's approval (`SIGNUPS=approval`)."""

    code = "pending"
    status = 403


class NeedsConsent(SignInError):
    """A rule of `ACCESS_FILE` needs a scope that the person did not allow at the provider."""

    code = "needs_consent"
    status = 403


class AccessUnknown(SignInError):
    """The provider could not be asked whether a rule of `ACCESS_FILE` is met, and the person was
    not in before, or `recheck.grace` has passed."""

    code = "access_unknown"
    status = 503
