"""People and their identities: the only writer of either.

Each verb is one transaction that reads the facts, asks linking.py, and carries the decision
out. An account is locked before its identities are counted or moved.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

import activity
import sessions
import tokens
from activity import Caller
from errors import LastWayIn, NotFound, StateMismatch
from linking import (
    AlreadyLinked,
    Create,
    Join,
    Known,
    Link,
    LinkDecision,
    Match,
    NeedsProof,
    Owner,
    Policy,
    Refused,
    SignInDecision,
    decide_link,
    decide_sign_in,
)
from models import OAuth, User, atomic, db, now
from providers.base import Grant, Profile, email_key


@dataclass(frozen=True)
class SignIn:
    """A decision, and the identity to start a session with where it opened an account."""

    decision: SignInDecision
    identity: OAuth | None = None


@atomic
def sign_in(
    grant: Grant,
    policy: Policy,
    caller: Caller,
    *,
    signed_in_as: str | None = None,
    separate: bool = False,
) -> SignIn:
    """Find, create or join the account for what a flow brought, as linking.py decides.

    Unless the decision opens an account (Known, Create, Join) nothing is written but, where
    the identity's account is known, that it was refused.
    """
    identity, matches = _look_up(_lock_identity, grant, policy)
    decision = decide_sign_in(
        grant.profile,
        _owner(identity, policy) if identity else None,
        matches,
        policy,
        signed_in_as=signed_in_as,
        separate=separate,
    )
    match decision:
        case Known():
            assert identity is not None
            _refresh(identity, grant, caller)
        case Create():
            profile = grant.profile
            user = User(name=profile.name or profile.username, picture=profile.picture)
            db.session.add(user)
            identity = _add(user, grant)
        case Join():
            identity = _add(_lock_user(decision.user_id), grant)
            _record(identity, "linked", caller, decision.reason)
        case Refused() if identity:
            _record(identity, "refused", caller, decision.reason)
            return SignIn(decision)
        case _:
            return SignIn(decision)
    db.session.flush()
    _record(identity, "signed_in", caller, decision.reason)
    return SignIn(decision, identity)


@atomic
def link(user_id: str, grant: Grant, caller: Caller, reason: str = Link.reason) -> LinkDecision:
    """Add an identity to an account whose owner asked for it; or say why not (NeedsMerge)."""
    user = _lock_user(user_id)
    identity = _lock_identity(grant)
    decision = decide_link(user_id, _owner(identity) if identity else None)
    match decision:
        case Link():
            identity = _add(user, grant)
            db.session.flush()
            _record(identity, "linked", caller, reason)
        case AlreadyLinked():
            assert identity is not None
            _refresh(identity, grant, caller)
    return decision


@atomic
def connect(user_id: str, grant: Grant, policy: Policy, caller: Caller) -> None:
    """Link after the old account was proved and the person confirmed.

    Raises StateMismatch when that is not, or no longer, what the linking rules ask for.
    """
    decision = sign_in_preview(grant, policy)
    if not isinstance(decision, NeedsProof) or not decision.may_connect:
        raise StateMismatch("the identity no longer waits for a proof")
    if user_id not in decision.user_ids:
        raise StateMismatch("another account was proved than the one with this address")
    if link(user_id, grant, caller, decision.reason) != Link():
        raise StateMismatch("the identity was linked at this very moment")


def sign_in_preview(grant: Grant, policy: Policy) -> SignInDecision:
    """What signing in would come to now. Writes nothing."""
    identity, matches = _look_up(_find, grant, policy)
    owner = _owner(identity, policy) if identity else None
    return decide_sign_in(grant.profile, owner, matches, policy)


@atomic
def confirm(user_id: str, identity_id: str, grant: Grant, caller: Caller) -> bool:
    """Whether a renewed proof came back with the identity that was asked for; then noted."""
    identity = _lock_identity(grant)
    if identity is None or identity.id != identity_id or identity.user_id != user_id:
        return False
    _refresh(identity, grant, caller)
    _record(identity, "confirmed", caller)
    return True


@atomic
def unlink(
    user_id: str, identity_id: str, policy: Policy, session_id: str, caller: Caller
) -> OAuth:
    """Remove an identity and end the other sessions that it started; returns what was removed.

    Raises NotFound (also for a stranger's identity) or LastWayIn: the count is taken while
    the account is locked, so of two removals at once the second sees the first.
    """
    user = _lock_user(user_id)
    identity = next((row for row in _identities(user.id) if row.id == identity_id), None)
    if identity is None:
        raise NotFound("no such identity of this account")
    if not others_usable(_identities(user.id), identity_id, policy):
        raise LastWayIn("the last usable identity")
    sessions.end_of_identity(identity_id, kept_id=session_id)
    _record(identity, "unlinked", caller)
    db.session.delete(identity)
    return identity


def others_usable(identities: Sequence[OAuth], identity_id: str, policy: Policy) -> list[OAuth]:
    """The identities that still let the person in when this one is gone."""
    return [
        row
        for row in identities
        if row.id != identity_id and policy.can_use(row.provider, row.issuer)
    ]


@atomic
def merge(user_id: str, grant: Grant, caller: Caller) -> None:
    """Bring the account that an identity opens into this one: its identities, sessions and
    activity; then it is gone. Both accounts were proved and the merge confirmed.

    Raises StateMismatch when the identity opens no other account any more.
    """
    found = _find(grant)
    if found is None or found.user_id == user_id:
        raise StateMismatch("the identity opens no other account any more")
    other_id = found.user_id
    users = {row: _lock_user(row) for row in sorted({user_id, other_id})}
    identity = _lock_identity(grant)
    if identity is None or identity.user_id != other_id:
        raise StateMismatch("the other account changed meanwhile")
    if not all(user.is_active for user in users.values()):
        raise StateMismatch("one of the accounts is switched off")
    kept, gone = users[user_id], users[other_id]
    kept.name = kept.name or gone.name
    kept.picture = kept.picture or gone.picture
    db.session.execute(update(OAuth).where(OAuth.user_id == other_id).values(user_id=user_id))
    sessions.move(other_id, user_id)
    activity.move(other_id, user_id)
    db.session.expire_all()
    db.session.delete(gone)
    _record(identity, "merged", caller, detail=f"account {other_id}")


def identities_of(user_id: str) -> Sequence[OAuth]:
    """A person's identities, the oldest first."""
    return _identities(user_id)


def providers_of(user_ids: Collection[str], policy: Policy) -> set[str]:
    """The providers that open these accounts here."""
    query = select(OAuth.provider, OAuth.issuer).where(OAuth.user_id.in_(user_ids)).distinct()
    return {
        provider
        for provider, issuer in db.session.execute(query)
        if policy.can_use(provider, issuer)
    }


def owner_of(grant: Grant) -> User | None:
    """The person whose account an identity opens, if any."""
    identity = _find(grant)
    return identity.user if identity else None


# Facts.


def _where(grant: Grant) -> tuple[Any, ...]:
    return (
        OAuth.provider == grant.provider,
        OAuth.issuer == grant.issuer,
        OAuth.subject == grant.profile.subject,
    )


def _find(grant: Grant) -> OAuth | None:
    return db.session.scalar(select(OAuth).where(*_where(grant)))


def _look_up(
    find: Callable[[Grant], OAuth | None], grant: Grant, policy: Policy
) -> tuple[OAuth | None, list[Match]]:
    """The identity; where it is unknown, the accounts with its address.

    When there are some it is looked for again: another request of the same person may just
    have made the account, which would seem to be somebody else's.
    """
    identity = find(grant)
    matches = [] if identity else _matches(grant.profile, policy)
    if matches:
        identity = find(grant)
    return identity, [] if identity else matches


def _lock_identity(grant: Grant) -> OAuth | None:
    """The identity with its account locked; always by identity, never by address or name.

    Read once more under the lock: whoever held it may have removed the identity, or brought
    it to another account, which is locked then.
    """
    owner_id = db.session.scalar(select(OAuth.user_id).where(*_where(grant)))
    while owner_id is not None:
        _user = _lock(owner_id)  # kept, so that identity.user finds it
        query = select(OAuth).where(*_where(grant))
        identity = db.session.scalar(query.execution_options(populate_existing=True))
        if identity is None or identity.user_id == owner_id:
            return identity
        owner_id = identity.user_id
    return None


def _lock_user(user_id: str) -> User:
    user = _lock(user_id)
    if user is None:
        raise StateMismatch("the account is gone")
    return user


def _lock(user_id: str) -> User | None:
    query = select(User).where(User.id == user_id).with_for_update()
    return db.session.scalar(query.execution_options(populate_existing=True))


def _identities(user_id: str) -> Sequence[OAuth]:
    query = select(OAuth).where(OAuth.user_id == user_id).order_by(OAuth.linked_at, OAuth.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def _owner(identity: OAuth, policy: Policy | None = None) -> Owner:
    user = identity.user
    allowed = not policy or not policy.allowed_email_domains
    if policy and not allowed:
        rows = _identities(user.id)
        allowed = any(policy.allows(row.email, verified=row.email_verified) for row in rows)
    return Owner(user.id, disabled=not user.is_active, allowed=allowed)


def _matches(profile: Profile, policy: Policy) -> list[Match]:
    """The accounts with an identity of the same address, the strongest claim of each."""
    if profile.email is None:
        return []
    same = select(OAuth.user_id).where(OAuth.email_key == email_key(profile.email))
    query = select(OAuth, User.disabled_at).join(User).where(OAuth.user_id.in_(same))
    by_user: dict[str, list[OAuth]] = {}
    disabled: dict[str, bool] = {}
    for row, disabled_at in db.session.execute(query):
        by_user.setdefault(row.user_id, []).append(row)
        disabled[row.user_id] = disabled_at is not None
    return [
        _match(user_id, by_user[user_id], profile, policy, disabled=disabled[user_id])
        for user_id in sorted(by_user)
    ]


def _match(
    user_id: str, rows: list[OAuth], profile: Profile, policy: Policy, *, disabled: bool
) -> Match:
    address = email_key(profile.email or "")
    same = [row for row in rows if row.email_key == address]
    return Match(
        user_id,
        verified=any(row.email_verified for row in same),
        trusted=any(row.email_verified and row.email_trusted for row in same),
        disabled=disabled,
        reachable=any(policy.can_use(row.provider, row.issuer) for row in rows),
    )


# Changes, always within an atomic verb.


def _add(user: User, grant: Grant) -> OAuth:
    identity = OAuth(
        user=user,
        provider=grant.provider,
        issuer=grant.issuer,
        subject=grant.profile.subject,
    )
    db.session.add(identity)
    db.session.flush()
    _keep(identity, grant)
    return identity


def _refresh(identity: OAuth, grant: Grant, caller: Caller) -> None:
    """Take over what the provider says now; the person's address may change with it."""
    user = identity.user
    profile = grant.profile
    moved = (profile.email, profile.email_verified) != (identity.email, identity.email_verified)
    before = user.email if moved else None
    _keep(identity, grant)
    if moved and user.email != before:
        _record(identity, "email_changed", caller, detail=user.email or "")


def _keep(identity: OAuth, grant: Grant) -> None:
    profile = grant.profile
    identity.email = profile.email
    identity.email_key = email_key(profile.email) if profile.email else None
    identity.email_verified = profile.email_verified
    identity.email_trusted = profile.email_trusted
    identity.profile = {
        # Apple tells a name once, on the first visit.
        "name": profile.name or (identity.profile or {}).get("name"),
        "username": profile.username,
        "picture": profile.picture,
    }
    identity.scopes = " ".join(grant.scopes)
    identity.last_used_at = now()
    tokens.store(identity, grant.token)


def _record(identity: OAuth, kind: str, caller: Caller, reason: str = "", detail: str = "") -> None:
    activity.record(
        identity.user_id,
        kind,
        caller,
        provider=identity.provider,
        reason=reason,
        detail=detail or identity.handle,
    )
