"""Verbs of a sign-in: carried out, previewed, or repeated to reauthenticate."""

from dataclasses import dataclass

import structlog

from access import groups, invitations
from access.groups import Source
from access.refusals import InvitationUsed
from accounts import (
    activity,
    actors,
    entry,
    facts,
    holds,
    identities,
    profile_updates,
    sessions,
    suspensions,
    telling,
    users,
)
from accounts.activity import Caller, EventKind
from accounts.decisions import Create, Join, Known, Refused, SignInDecision
from accounts.ended_sessions import EndReason
from accounts.identities import Found
from accounts.refusals import IdentitySuspended
from accounts.rules import Policy, decide_sign_in
from errors import EmailUnverified, NoEmail, NotAllowed, WrongAccount
from models import Identity
from notices import webhooks
from notices.mails import MailKind
from notices.webhook_events import WebhookType
from providers.base import Assertion
from storage import atomic

log = structlog.get_logger()

# The refusals of ALLOWED_EMAIL_DOMAINS.
LOST = (NoEmail, EmailUnverified, NotAllowed)


@dataclass(frozen=True)
class SignIn:
    """A decision, and the identity to start a session with where it opened an account.

    ``is_pending``: the account waits for approval, so that its sessions let nobody in.
    ``is_new_device``: the person is to hear of it, once the session has begun.
    """

    decision: SignInDecision
    identity: Identity | None = None
    is_pending: bool = False
    is_new_device: bool = False


@atomic
def sign_in(
    assertion: Assertion,
    policy: Policy,
    caller: Caller,
    *,
    signed_in_as: str | None = None,
    separate: bool = False,
    invitation_id: str | None = None,
) -> SignIn:
    """Find, create or join the account for what a flow brought, as the rules decide.

    ``signed_in_as``: the id of the user whom this browser is signed in as. ``separate``: the
    person was asked and wants an account of their own. ``invitation_id``: the invitation whose link
    this browser has opened; a new account uses it.
    Unless the decision opens an account (Known, Create, Join) nothing is written; only a
    refusal is recorded, where the identity's account is known. If the allow-list refuses a known
    identity, what it began ends; if the rules of access do, all sessions of its person.
    """
    found, matches = facts.look_up(identities.lock, assertion, policy)
    identity = found.identity if found else None
    profile = facts.judged_profile(identity, assertion)
    invited = None if found else facts.invited(invitation_id, assertion)
    barred = entry.sign_in_refusal(found, assertion, profile, policy, invited)
    decision = decide_sign_in(
        profile,
        facts.owner(found, assertion, policy) if found else None,
        matches,
        policy,
        signed_in_as=signed_in_as,
        separate=separate,
        barred=barred,
        invited=invited,
    )
    decision = _unless_denied(decision, assertion, policy, caller)
    is_pending = is_new_device = False
    match decision:
        case Known():
            assert found is not None
            is_pending = found.pending_at is not None
            identity = _take_known(found, assertion, caller)
            is_new_device = telling.is_new_device(identity.user_id, caller)
        case Create():
            identity = _create(decision, assertion, caller)
            is_pending = decision.is_pending
            if identity is None:
                return SignIn(Refused(InvitationUsed("used at this very moment")))
        case Join():
            user = users.lock(decision.user_id)
            is_pending = user.is_pending
            identity = _join(user.id, decision, assertion, caller)
        case Refused() if identity:
            _note_refusal(identity, decision, caller, is_barred=decision.error is barred)
            if decision.error is barred:
                entry.settle_sign_in(identity, assertion, policy, caller)
            return SignIn(decision)
        case _:
            return SignIn(decision)
    entry.settle_sign_in(identity, assertion, policy, caller)
    identities.record(identity, EventKind.SIGNED_IN, caller, decision.reason)
    return SignIn(decision, identity, is_pending, is_new_device)


def _unless_denied(
    decision: SignInDecision, assertion: Assertion, policy: Policy, caller: Caller
) -> SignInDecision:
    """Refuse to join an account whose person would not be in. Raises AccountHeld."""
    if isinstance(decision, Join):
        holds.check(users.lock(decision.user_id), caller)
        denial = entry.join_refusal(decision.user_id, assertion, policy)
        return Refused(denial) if denial else decision
    return decision


def _take_known(found: Found, assertion: Assertion, caller: Caller) -> Identity:
    """Store what a sign-in brought about a known identity, and put that back into use."""
    identity = profile_updates.take_assertion(found, assertion, caller)
    return suspensions.come_back(found, identity, assertion, caller)


def _join(user_id: str, decision: Join, assertion: Assertion, caller: Caller) -> Identity:
    """Add an identity to the account that the rules found for it."""
    told = telling.addresses(user_id)
    identity = identities.add(user_id, assertion)
    identities.record(identity, EventKind.LINKED, caller, decision.reason)
    telling.tell_of_identity(identity, MailKind.IDENTITY_LINKED, caller, told)
    return identity


def _create(decision: Create, assertion: Assertion, caller: Caller) -> Identity | None:
    """Create an account, in the groups of its invitation; None if that was used meanwhile."""
    names: list[str] = []
    is_admitted = False
    if decision.invitation_id:
        invitation = invitations.use(decision.invitation_id)
        if invitation is None:
            return None
        names, is_admitted = invitation.groups, invitation.bypass
    user_id = users.add(assertion.profile, is_pending=decision.is_pending, is_admitted=is_admitted)
    identity = identities.add(user_id, assertion)
    facts = {"user_id": user_id, "identity_id": identity.id, "provider": identity.provider}
    about = {"email": identity.email or "", "name": assertion.profile.name or ""}
    webhooks.plan(WebhookType.USER_CREATED, {**facts, **about})
    if decision.is_pending:
        telling.tell_of_waiting(identity.provider)
    for name in names:
        groups.add(identity.user_id, name, Source.INVITATION)
        activity.record(identity.user_id, EventKind.GROUP_JOINED, caller, detail=name)
    if decision.invitation_id:
        log.info("invitation_used", invitation=decision.invitation_id, user=identity.user_id)
    return identity


def _note_refusal(
    identity: Identity, decision: Refused, caller: Caller, *, is_barred: bool
) -> None:
    """Record the refusal of a known identity; end what it began if the allow-list refuses it."""
    identities.record(identity, EventKind.REFUSED, caller, decision.reason)
    if isinstance(decision.error, LOST) and not is_barred:
        _end_what_it_began(identity, caller)


def _end_what_it_began(identity: Identity, caller: Caller) -> None:
    ended = sessions.end_of_identity(identity.id, None, EndReason.IDENTITY_REFUSED)
    if ended:
        detail = str(ended)
        activity.record(identity.user_id, EventKind.SESSIONS_ENDED, caller, detail=detail)


def sign_in_preview(
    assertion: Assertion, policy: Policy, invitation_id: str | None = None
) -> SignInDecision:
    """Return what signing in would come to now. Writes nothing."""
    found, matches = facts.look_up(identities.find, assertion, policy)
    profile = facts.judged_profile(found.identity if found else None, assertion)
    invited = None if found else facts.invited(invitation_id, assertion)
    return decide_sign_in(
        profile,
        facts.owner(found, assertion, policy) if found else None,
        matches,
        policy,
        barred=entry.sign_in_refusal(found, assertion, profile, policy, invited),
        invited=invited,
    )


@atomic
def reauthenticate(
    user_id: str,
    identity_id: str,
    assertion: Assertion,
    caller: Caller,
    session_id: str | None = None,
) -> None:
    """Record that a reauthentication came back with the identity that was asked for.

    Raises SignedOut, IdentitySuspended, or WrongAccount, with the handle of that one, when another
    came back.
    """
    _, found = actors.lock_with_owner(user_id, session_id, assertion)
    if found is None or (found.identity.id, found.identity.user_id) != (identity_id, user_id):
        asked = (each for each in identities.of_user(user_id) if each.id == identity_id)
        handle = next((each.handle for each in asked), "")
        raise WrongAccount("another identity came back", email=handle)
    if suspensions.holds_back(found.identity, assertion):
        raise IdentitySuspended
    identity = profile_updates.take_assertion(found, assertion, caller)
    identities.record(identity, EventKind.REAUTHENTICATED, caller)
