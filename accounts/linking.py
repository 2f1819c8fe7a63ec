"""Verbs that add an identity to an account or remove one."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import select

from accounts import (
    activity,
    actors,
    addresses,
    entry,
    facts,
    holds,
    identities,
    profile_updates,
    sessions,
    telling,
)
from accounts.activity import Caller, EventKind
from accounts.decisions import AlreadyLinked, Link, LinkDecision, NeedsOwnership, Refused
from accounts.rules import Policy, decide_link, ways_in
from accounts.signing_in import sign_in_preview
from errors import LastWayIn, StateMismatch
from models import Identity, OAuth
from notices.mails import MailKind
from providers.base import Assertion
from storage import atomic, db
from vault import revocations


@atomic
def link(
    user_id: str,
    assertion: Assertion,
    caller: Caller,
    reason: str = Link.reason,
    session_id: str | None = None,
    *,
    policy: Policy | None = None,
) -> LinkDecision:
    """Add an identity to an account whose owner asked for it, or return why not (NeedsMerge).

    ``policy``: has the rules of access, if there are any. Raises SignedOut if the account or the
    session is gone, AccountHeld, ProviderError if a part of a new identity's profile could not be
    read.
    """
    user, found = actors.lock_with_owner(user_id, session_id, assertion)
    holds.check(user, caller)
    policy = policy or Policy()
    decision = decide_link(user_id, facts.owner(found, assertion) if found else None)
    match decision:
        case Link():
            if barred := entry.link_refusal(user_id, assertion, policy):
                return Refused(barred)
            identities.check_complete(assertion)
            told = telling.addresses(user_id)
            identity = identities.add(user_id, assertion)
            identities.record(identity, EventKind.LINKED, caller, reason)
            telling.tell_of_identity(identity, MailKind.IDENTITY_LINKED, caller, told)
            entry.settle_sign_in(identity, assertion, policy, caller)
        case AlreadyLinked():
            assert found is not None
            profile_updates.take_assertion(found, assertion, caller)
    return decision


@atomic
def connect(
    user_id: str,
    assertion: Assertion,
    policy: Policy,
    caller: Caller,
    session_id: str | None = None,
) -> None:
    """Link after the person signed in to the old account and confirmed.

    Raises StateMismatch if the linking rules do not, or no longer, ask for that, and SignedOut as
    ``link`` does.
    """
    actors.lock_with_owner(user_id, session_id, assertion)
    decision = sign_in_preview(assertion, policy)
    if not isinstance(decision, NeedsOwnership):
        raise StateMismatch("the identity no longer waits for a verification")
    if user_id not in decision.user_ids:
        raise StateMismatch("another account was verified than the one with this address")
    linked = link(user_id, assertion, caller, decision.reason, session_id, policy=policy)
    if linked != Link():
        raise StateMismatch("the identity was linked at this very moment")


class Removed(NamedTuple):
    """A removed identity, and how many other sessions ended with it."""

    identity: Identity
    sessions: int


@atomic
def unlink(
    user_id: str, identity_id: str, policy: Policy, session_id: str | None, caller: Caller
) -> Removed:
    """Remove an identity and end the other sessions that it started; return what is gone.
    Its token is revoked at the provider soon after.

    Raises SignedOut, AccountHeld, NotFound (also for another person's identity) or LastWayIn:
    identities are counted while the account is locked, so of two concurrent removals the second
    sees the first.
    """
    user = actors.lock_to_change(user_id, session_id, caller)
    identity = identities.own(user.id, identity_id)
    if not others_usable(identities.of_user(user.id), identity_id, policy):
        raise LastWayIn("the last usable identity")
    ended = sessions.count_of_identity(identity_id, session_id)
    sessions.end_of_identity(identity_id, kept_id=session_id)
    identities.record(identity, EventKind.UNLINKED, caller)
    if ended:
        activity.record(user_id, EventKind.SESSIONS_ENDED, caller, detail=str(ended))
    if user.picture == identity.profile.get("picture"):
        user.picture = None
    revocations.plan(identity)
    earlier = addresses.remember(user)
    identities.remove(identity)
    db.session.expire(user, ["identity_rows"])
    telling.tell_of_identity(identity, MailKind.IDENTITY_REMOVED, caller, earlier.told)
    addresses.note_change(user, earlier, caller)
    entry.follow(user_id, policy, caller)
    return Removed(identity, ended)


def others_usable(those: Sequence[Identity], identity_id: str, policy: Policy) -> list[Identity]:
    """Return the identities that still admit the person without this one."""
    others = ways_in([each for each in those if each.id != identity_id], policy)
    return others if entry.lets_in(others, policy) else []


def providers_of(user_ids: Collection[str], policy: Policy) -> set[str]:
    """Return the names of the providers that open these accounts here."""
    query = select(OAuth.provider, OAuth.issuer).where(OAuth.user_id.in_(user_ids)).distinct()
    return {
        provider
        for provider, issuer in db.session.execute(query)
        if policy.can_use(provider, issuer)
    }
