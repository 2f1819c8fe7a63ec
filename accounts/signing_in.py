"""Verbs of a sign-in: carried out, previewed, or repeated to reauthenticate."""

from dataclasses import dataclass

from accounts import activity, actors, entry, facts, identities, profile_updates, sessions, users
from accounts.activity import Caller, EventKind
from accounts.ended_sessions import EndReason
from accounts.rules import Create, Join, Known, Policy, Refused, SignInDecision, decide_sign_in
from errors import EmailUnverified, NoEmail, NotAllowed, WrongAccount
from models import Identity
from providers.base import Assertion
from storage import atomic

# The refusals of ALLOWED_EMAIL_DOMAINS.
LOST = (NoEmail, EmailUnverified, NotAllowed)


@dataclass(frozen=True)
class SignIn:
    """A decision, and the identity to start a session with where it opened an account."""

    decision: SignInDecision
    identity: Identity | None = None


@atomic
def sign_in(
    assertion: Assertion,
    policy: Policy,
    caller: Caller,
    *,
    signed_in_as: str | None = None,
    separate: bool = False,
) -> SignIn:
    """Find, create or join the account for what a flow brought, as the rules decide.

    ``signed_in_as``: the id of the user whom this browser is signed in as. ``separate``: the
    person was asked and wants an account of their own.
    Unless the decision opens an account (Known, Create, Join) nothing is written; only a
    refusal is recorded, where the identity's account is known. If the allow-list refuses a known
    identity, what it began ends; if the rules of access do, all sessions of its person.
    """
    found, matches = facts.look_up(identities.lock, assertion, policy)
    identity = found.identity if found else None
    profile = facts.judged_profile(identity, assertion)
    barred = entry.sign_in_refusal(found, assertion, profile, policy)
    decision = decide_sign_in(
        profile,
        facts.owner(found, policy) if found else None,
        matches,
        policy,
        signed_in_as=signed_in_as,
        separate=separate,
        barred=barred,
    )
    if isinstance(decision, Join) and (denial := entry.join_refusal(decision.user_id, policy)):
        decision = Refused(denial)
    match decision:
        case Known():
            assert found is not None
            identity = profile_updates.take_assertion(found, assertion, caller)
        case Create():
            identity = identities.add(users.add(assertion.profile), assertion)
        case Join():
            identity = identities.add(users.lock(decision.user_id).id, assertion)
            identities.record(identity, EventKind.LINKED, caller, decision.reason)
        case Refused() if identity:
            identities.record(identity, EventKind.REFUSED, caller, decision.reason)
            if decision.error is barred:
                entry.settle_sign_in(identity, assertion, policy, caller)
            elif isinstance(decision.error, LOST):
                _end_what_it_began(identity, caller)
            return SignIn(decision)
        case _:
            return SignIn(decision)
    entry.settle_sign_in(identity, assertion, policy, caller)
    identities.record(identity, EventKind.SIGNED_IN, caller, decision.reason)
    return SignIn(decision, identity)


def _end_what_it_began(identity: Identity, caller: Caller) -> None:
    ended = sessions.end_of_identity(identity.id, None, EndReason.IDENTITY_REFUSED)
    if ended:
        detail = str(ended)
        activity.record(identity.user_id, EventKind.SESSIONS_ENDED, caller, detail=detail)


def sign_in_preview(assertion: Assertion, policy: Policy) -> SignInDecision:
    """Return what signing in would come to now. Writes nothing."""
    found, matches = facts.look_up(identities.find, assertion, policy)
    profile = facts.judged_profile(found.identity if found else None, assertion)
    return decide_sign_in(
        profile,
        facts.owner(found, policy) if found else None,
        matches,
        policy,
        barred=entry.sign_in_refusal(found, assertion, profile, policy),
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

    Raises SignedOut, or WrongAccount, with the handle of that one, when another came back.
    """
    _, found = actors.lock_with_owner(user_id, session_id, assertion)
    if found is None or (found.identity.id, found.identity.user_id) != (identity_id, user_id):
        asked = (each for each in identities.of_user(user_id) if each.id == identity_id)
        handle = next((each.handle for each in asked), "")
        raise WrongAccount("another identity came back", email=handle)
    identity = profile_updates.take_assertion(found, assertion, caller)
    identities.record(identity, EventKind.REAUTHENTICATED, caller)
