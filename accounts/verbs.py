"""The verbs of people and their identities; no other module changes them.

Each verb is one transaction that reads the facts, asks the rules, and carries out the decision. An
account is locked before its identities are counted or moved.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import delete as delete_from
from sqlalchemy import select, update

from accounts import activity, identities, sessions
from accounts.activity import Caller, EventKind
from accounts.rules import (
    AlreadyLinked,
    Create,
    Join,
    Known,
    Link,
    LinkDecision,
    NeedsOwnership,
    Policy,
    Refused,
    SignInDecision,
    decide_link,
    decide_sign_in,
    ways_in,
)
from errors import LastWayIn, NotFound, StateMismatch
from models import OAuth, User
from providers.base import Assertion
from providers.profile import clean_text
from storage import atomic, db, now
from vault import revocations

log = structlog.get_logger()


@dataclass(frozen=True)
class SignIn:
    """A decision, and the identity that starts a session if it opened an account."""

    decision: SignInDecision
    identity: identities.Locked | None = None


@atomic
def sign_in(
    assertion: Assertion,
    policy: Policy,
    caller: Caller,
    *,
    signed_in_as: str | None = None,
    separate: bool = False,
) -> SignIn:
    """Find, create or join the account of an assertion, as the rules decide.

    Unless the decision opens an account (Known, Create, Join), nothing is written except the
    refusal in the activity of a known account.
    """
    identity, matches = identities.look_up(identities.lock_identity, assertion, policy)
    decision = decide_sign_in(
        identities.judged(identity, assertion),
        identities.owner(identity, policy) if identity else None,
        matches,
        policy,
        signed_in_as=signed_in_as,
        separate=separate,
    )
    match decision:
        case Known():
            assert identity is not None
            identities.use(identity, assertion, caller)
        case Create():
            identity = identities.add(identities.add_user(assertion.profile), assertion)
        case Join():
            identity = identities.add(identities.lock_user(decision.user_id).id, assertion)
            identities.record(identity, EventKind.LINKED, caller, decision.reason)
        case Refused() if identity:
            identities.record(identity, EventKind.REFUSED, caller, decision.reason)
            return SignIn(decision)
        case _:
            return SignIn(decision)
    identities.record(identity, EventKind.SIGNED_IN, caller, decision.reason)
    return SignIn(decision, identity)


@atomic
def link(
    user_id: str, assertion: Assertion, caller: Caller, reason: str = Link.reason
) -> LinkDecision:
    """Add an identity to an account whose owner asked for it, or return why not (NeedsMerge)."""
    identities.lock_user(user_id)
    identity = identities.lock_identity(assertion)
    decision = decide_link(user_id, identities.owner(identity) if identity else None)
    match decision:
        case Link():
            identity = identities.add(user_id, assertion)
            identities.record(identity, EventKind.LINKED, caller, reason)
        case AlreadyLinked():
            assert identity is not None
            identities.use(identity, assertion, caller)
    return decision


@atomic
def connect(user_id: str, assertion: Assertion, policy: Policy, caller: Caller) -> None:
    """Link after the person verified ownership of the old account and confirmed.

    Raises StateMismatch if the linking rules do not, or no longer, ask for that.
    """
    decision = sign_in_preview(assertion, policy)
    if not isinstance(decision, NeedsOwnership) or not decision.may_connect:
        raise StateMismatch("the identity no longer waits for a proof")
    if user_id not in decision.user_ids:
        raise StateMismatch("another account was proved than the one with this address")
    if link(user_id, assertion, caller, decision.reason) != Link():
        raise StateMismatch("the identity was linked at this very moment")


def sign_in_preview(assertion: Assertion, policy: Policy) -> SignInDecision:
    """Return what signing in would lead to now. Writes nothing."""
    identity, matches = identities.look_up(identities.find, assertion, policy)
    owner = identities.owner(identity, policy) if identity else None
    return decide_sign_in(identities.judged(identity, assertion), owner, matches, policy)


@atomic
def confirm(user_id: str, identity_id: str, assertion: Assertion, caller: Caller) -> bool:
    """Check that a reauthentication returned the requested identity, and record it."""
    identity = identities.lock_identity(assertion)
    if identity is None or identity.id != identity_id or identity.user_id != user_id:
        return False
    identities.use(identity, assertion, caller)
    identities.record(identity, EventKind.REAUTHENTICATED, caller)
    return True


@atomic
def unlink(
    user_id: str, identity_id: str, policy: Policy, session_id: str, caller: Caller
) -> OAuth:
    """Remove an identity and end the other sessions that it started; return the removed identity.
    Its token is revoked soon after.

    Raises NotFound (also for another person's identity) or LastWayIn. Identities are counted while
    the account is locked, so of two concurrent removals the second sees the first.
    """
    user = identities.lock_user(user_id)
    identity = identities.own(user.id, identity_id)
    if not others_usable(identities.of_user(user.id), identity_id, policy):
        raise LastWayIn("the last usable identity")
    sessions.end_of_identity(identity_id, kept_id=session_id)
    identities.record(identity, EventKind.UNLINKED, caller)
    if user.picture == identity.profile.get("picture"):
        user.picture = None
    revocations.plan(identity)
    before = user.email
    db.session.delete(identity)
    db.session.flush()
    db.session.expire(user, ["identities"])
    _note_address(user, before, caller)
    return identity


def _note_address(user: User, before: str | None, caller: Caller) -> None:
    if user.email != before:
        activity.record(user.id, EventKind.EMAIL_CHANGED, caller, detail=user.email or "")


def others_usable(rows: Sequence[OAuth], identity_id: str, policy: Policy) -> list[OAuth]:
    """Return the identities that still admit the person without this one."""
    return ways_in([row for row in rows if row.id != identity_id], policy)


@atomic
def merge(user_id: str, assertion: Assertion, caller: Caller) -> None:
    """Merge the account that an identity opens into this one: its identities, sessions and
    activity. The other account is deleted. The person signed in to both and confirmed.

    Raises StateMismatch if the identity no longer opens another account.
    """
    found = identities.find(assertion)
    if found is None or found.user_id == user_id:
        raise StateMismatch("the identity opens no other account any more")
    other_id = found.user_id
    users = {row: identities.lock_user(row) for row in sorted({user_id, other_id})}
    identity = identities.lock_identity(assertion)
    if identity is None or identity.user_id != other_id:
        raise StateMismatch("the other account changed meanwhile")
    if not all(user.is_active for user in users.values()):
        raise StateMismatch("one of the accounts is switched off")
    kept, gone = users[user_id], users[other_id]
    before = kept.email_identity
    if before and kept.email_choice is None:
        kept.email_choice = before.id
    kept.name = kept.name or gone.name
    kept.picture = kept.picture or gone.picture
    db.session.execute(update(OAuth).where(OAuth.user_id == other_id).values(user_id=user_id))
    sessions.move(other_id, user_id)
    activity.move(other_id, user_id)
    db.session.expire_all()
    db.session.delete(gone)
    identity.user_id = user_id
    identities.record(identity, EventKind.MERGED, caller, detail=f"account {other_id}")
    _note_address(kept, before.email if before else None, caller)


@atomic
def rename(user_id: str, name: str | None, caller: Caller) -> User:
    """Change a person's name; what providers report later does not change it back.

    It is cleaned like a provider's name. None, or a name of which nothing remains, removes it.
    Raises NotFound if the account is gone.
    """
    user = identities.lock(user_id)
    if user is None:
        raise NotFound("the account is gone")
    cleaned = clean_text(name)
    if cleaned != user.name:
        user.name = cleaned
        activity.record(user_id, EventKind.RENAMED, caller, detail=cleaned or "")
    return user


@atomic
def choose_email(user_id: str, identity_id: str | None, caller: Caller) -> None:
    """Choose the identity whose address is the person's; None: the default one.

    Raises NotFound if it is not theirs or has no verified address: an unverified address cannot
    become the primary one.
    """
    user = identities.lock_user(user_id)
    identity = identities.own(user_id, identity_id) if identity_id else None
    if identity and not (identity.email and identity.email_verified):
        raise NotFound("no verified address to choose")
    before = user.email
    user.email_choice = identity.id if identity else None
    _note_address(user, before, caller)


@atomic
def choose_picture(user_id: str, identity_id: str | None) -> None:
    """Show the picture of an identity, or with None only initials. Raises NotFound."""
    user = identities.lock_user(user_id)
    identity = identities.own(user_id, identity_id) if identity_id else None
    picture = identity.profile.get("picture") if identity else None
    if identity and not picture:
        raise NotFound("that identity has no picture")
    user.picture = picture


@dataclass(frozen=True)
class Deleted:
    """A deleted account: counts, and its handles by provider."""

    identities: tuple[tuple[str, str], ...]
    sessions: int
    events: int


@atomic
def delete(user_id: str, caller: Caller) -> Deleted:
    """Delete an account with everything it owns: identities and their tokens, sessions, open flows,
    activity. Its tokens are revoked at the providers soon after.

    Raises StateMismatch if it is already gone.
    """
    user = identities.lock_user(user_id)
    rows = identities.of_user(user_id)
    for identity in rows:
        revocations.plan(identity)
    deleted = Deleted(
        tuple((identity.provider, identity.handle) for identity in rows),
        len(sessions.of_user(user_id)),
        activity.count(user_id),
    )
    # The constraints delete the rest, including rows that a concurrent request has just added.
    db.session.execute(delete_from(User).where(User.id == user.id))
    db.session.expunge_all()
    log.info("account_deleted", user=user_id, address=caller.address)
    return deleted


@atomic
def switch(user_id: str, *, on: bool, caller: Caller) -> int:
    """Disable an account, which ends its sessions, or enable it; return how many sessions ended.

    Raises NotFound. An account that is already disabled keeps its time.
    """
    user = identities.lock(user_id)
    if user is None:
        raise NotFound("the account is gone")
    if user.is_active != on:
        user.disabled_at = None if on else now()
        activity.record(user_id, EventKind.ENABLED if on else EventKind.DISABLED, caller)
    return 0 if on else sessions.end_all(user_id)


def identities_of(user_id: str) -> Sequence[OAuth]:
    """Return a person's identities, oldest first."""
    return identities.of_user(user_id)


def providers_of(user_ids: Collection[str], policy: Policy) -> set[str]:
    """Return the providers that open these accounts here."""
    query = select(OAuth.provider, OAuth.issuer).where(OAuth.user_id.in_(user_ids)).distinct()
    return {
        provider
        for provider, issuer in db.session.execute(query)
        if policy.can_use(provider, issuer)
    }


def owner_of(assertion: Assertion) -> User | None:
    """Return the person whose account an identity opens, if any."""
    identity = identities.find(assertion)
    return identity.user if identity else None
