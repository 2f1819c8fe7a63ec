"""Rows of identities: found, locked, added and kept up to date.

For the verbs of accounts.py, each of which is one transaction: whoever changes a row here is
within one, and has locked its account.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.attributes import set_committed_value

import activity
import tokens
from activity import Caller
from errors import NotFound, StateMismatch
from linking import Match, Owner, Policy, any_allowed
from models import OAuth, User, db, new_id, now
from plain import Plain
from providers.base import Grant, Profile, email_key

# Columns of an identity, by name.
Values = dict[str, Any]

_THIS = (
    OAuth.provider == bindparam("provider"),
    OAuth.issuer == bindparam("issuer"),
    OAuth.subject == bindparam("subject"),
)
_FIND = select(OAuth).where(*_THIS)
# With its account, and kept as it is: whoever renews the token locks this row alone. Everybody
# else locks the account first, so this row is not taken while somebody else holds its account.
_FIND_NOW = (
    _FIND.where(OAuth.user_id == bindparam("owner_id"))
    .options(joinedload(OAuth.user, innerjoin=True))
    .with_for_update(of=OAuth)
    .execution_options(populate_existing=True)
)
_FIND_OWNER = Plain(select(OAuth.user_id).where(*_THIS))
_LOCK_OWNER = Plain(
    select(User.id)
    .where(User.id == select(OAuth.user_id).where(*_THIS).scalar_subquery())
    .with_for_update()
)
_LOCK = (
    select(User)
    .where(User.id == bindparam("user_id"))
    .with_for_update()
    .execution_options(populate_existing=True)
)
_OF_ADDRESS = (
    select(OAuth, User.disabled_at)
    .join(OAuth.user)
    .where(OAuth.user_id.in_(select(OAuth.user_id).where(OAuth.email_key == bindparam("key"))))
)


def _key(grant: Grant) -> dict[str, str]:
    return {
        "provider": grant.provider,
        "issuer": grant.issuer,
        "subject": grant.profile.subject,
    }


def find(grant: Grant) -> OAuth | None:
    """The identity that a flow brought, if it is known here."""
    return db.session.scalar(_FIND, _key(grant))


def look_up(
    find: Callable[[Grant], OAuth | None], grant: Grant, policy: Policy
) -> tuple[OAuth | None, list[Match]]:
    """The identity; where it is unknown, the accounts with its address.

    When there are some it is looked for again: another request of the same person may just
    have made the account, which would seem to be somebody else's.
    """
    identity = find(grant)
    matches = [] if identity else matches_of(grant.profile, policy)
    if matches:
        identity = find(grant)
    return identity, [] if identity else matches


def lock_identity(grant: Grant) -> OAuth | None:
    """The identity with its account locked; always by identity, never by address or name.

    Read once more under the lock: whoever held it may have removed the identity, or brought
    it to another account, which is locked then.
    """
    key = _key(grant)
    while True:
        owner_id = _LOCK_OWNER.value(**key)
        if owner_id is not None:
            identity = db.session.scalar(_FIND_NOW, {**key, "owner_id": owner_id})
            if identity is not None:
                return identity
        elif _FIND_OWNER.value(**key) is None:
            return None


def lock_user(user_id: str) -> User:
    """Raises StateMismatch when the account is gone."""
    user = lock(user_id)
    if user is None:
        raise StateMismatch("the account is gone")
    return user


def lock(user_id: str) -> User | None:
    """The account as it is now, and as it stays until this transaction ends."""
    return db.session.scalar(_LOCK, {"user_id": user_id})


def of_user(user_id: str) -> Sequence[OAuth]:
    """A person's identities as they are now, the oldest first."""
    query = select(OAuth).where(OAuth.user_id == user_id).order_by(OAuth.linked_at, OAuth.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def own(user_id: str, identity_id: str) -> OAuth:
    """One of this person's identities. Raises NotFound, also for a stranger's."""
    # Compared here: an id from an address may hold what a database refuses to compare with.
    identity = next((row for row in of_user(user_id) if row.id == identity_id), None)
    if identity is None:
        raise NotFound("no such identity of this account")
    return identity


def owner(identity: OAuth, policy: Policy | None = None) -> Owner:
    """What linking.py asks of the account that an identity opens.

    ``policy``: who may come in, where that is asked. This identity's own row has no say: the
    profile that is about to replace it is judged instead.
    """
    user = identity.user
    allowed = True
    if policy and policy.allowed_email_domains:
        others = [row for row in of_user(user.id) if row.id != identity.id]
        allowed = any_allowed(others, policy)
    return Owner(user.id, disabled=not user.is_active, allowed=allowed)


def judged(identity: OAuth | None, grant: Grant) -> Profile:
    """The profile that decides: what the provider says now. Of a known identity somebody else
    may know less than its own row, or what is no longer so."""
    if identity is None or not grant.is_relayed:
        return grant.profile
    return replace(
        grant.profile,
        email=identity.email,
        email_verified=identity.email_verified,
        email_trusted=identity.email_trusted,
    )


def matches_of(profile: Profile, policy: Policy) -> list[Match]:
    """The accounts with an identity of the same address, the strongest claim of each."""
    if profile.email is None:
        return []
    by_user: dict[str, list[OAuth]] = {}
    disabled: dict[str, bool] = {}
    for row, disabled_at in db.session.execute(_OF_ADDRESS, {"key": email_key(profile.email)}):
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
        reachable=any(policy.can_prove(row.provider, row.issuer) for row in rows),
    )


# Changes.


def add(user: User, grant: Grant) -> OAuth:
    """A new identity of this person."""
    identity = OAuth(
        id=new_id(),  # the token is bound to it
        user=user,
        provider=grant.provider,
        issuer=grant.issuer,
        subject=grant.profile.subject,
        **_of_profile(grant.profile, {}),
    )
    for name, value in _of_grant(identity, grant).items():
        setattr(identity, name, value)
    db.session.add(identity)
    db.session.flush()
    return identity


def use(identity: OAuth, grant: Grant, caller: Caller) -> None:
    """Somebody came back with it: take over what the provider says and gives now.

    What somebody else says of it changes nothing: they know less, or of another address.
    """
    if grant.is_relayed:
        _update(identity, {"last_used_at": now()})
        return
    _take_over(identity, grant.profile, caller, _of_grant(identity, grant))


def take_over(identity: OAuth, profile: Profile, caller: Caller) -> None:
    """Take over what the provider says now; the person's address may change with it."""
    _take_over(identity, profile, caller, {})


def _take_over(identity: OAuth, profile: Profile, caller: Caller, more: Values) -> None:
    user = identity.user
    moved = (profile.email, profile.email_verified) != (identity.email, identity.email_verified)
    before = user.email if moved else None
    picture = identity.profile.get("picture")
    if picture and user.picture == picture != profile.picture:
        user.picture = profile.picture
    _update(identity, {**_of_profile(profile, identity.profile), **more})
    if moved and user.email != before:
        record(identity, "email_changed", caller, detail=user.email or "")


def _update(identity: OAuth, values: Values) -> None:
    """Write these columns of its row at once, past the ORM, and have the object say the same."""
    _update_of(tuple(values)).run(identity_id=identity.id, **values)
    for name, value in values.items():
        set_committed_value(identity, name, value)


@functools.cache
def _update_of(names: tuple[str, ...]) -> Plain:
    values: Values = {name: bindparam(name) for name in names}
    return Plain(update(OAuth).where(OAuth.id == bindparam("identity_id")).values(values))


def _of_profile(profile: Profile, earlier: Mapping[str, Any]) -> Values:
    return {
        "email": profile.email,
        "email_key": email_key(profile.email) if profile.email else None,
        "email_verified": profile.email_verified,
        "email_trusted": profile.email_trusted,
        "profile": {
            # Apple says it on the first visit only.
            "name": profile.name or earlier.get("name"),
            "username": profile.username,
            "picture": profile.picture,
        },
        "read_at": now(),
    }


def _of_grant(identity: OAuth, grant: Grant) -> Values:
    """An ID token alone leaves the provider's token as it is."""
    values: Values = {"last_used_at": now()}
    if grant.token:
        values |= {"scopes": " ".join(grant.scopes), **tokens.stored(identity, grant.token)}
    return values


def record(identity: OAuth, kind: str, caller: Caller, reason: str = "", detail: str = "") -> None:
    """A line of the owner's activity that is about this identity."""
    activity.record(
        identity.user_id,
        kind,
        caller,
        provider=identity.provider,
        reason=reason,
        detail=detail or identity.handle,
    )
