"""Rows of identities: found, locked, added and updated.

Used by the verbs, each of which is one transaction: callers are within one, and have locked the
account before they change a row here.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm.attributes import set_committed_value

from accounts import activity
from accounts.activity import Caller, EventKind
from accounts.rules import Match, Owner, Policy, any_allowed
from errors import NotFound, StateMismatch
from models import OAuth, User, address_of, handle_of
from providers.base import Assertion, Profile
from providers.profile import email_key
from storage import db, new_id, now
from storage.compiled import CompiledSelect, CompiledStatement
from vault import tokens

# Columns of an identity, by name.
Values = dict[str, Any]


@dataclass
class Locked:
    """A locked identity and its locked account: the columns that a sign-in needs. Read without the
    ORM, because every sign-in does this."""

    id: str
    user_id: str
    provider: str
    issuer: str
    subject: str
    email: str | None
    email_verified: bool
    email_trusted: bool
    profile: dict[str, Any]
    token: str | None = field(repr=False)
    # When the account was disabled.
    disabled_at: datetime | None

    @property
    def handle(self) -> str:
        return handle_of(self)


class _WithAddress(NamedTuple):
    """An identity with a certain address, and when its account was disabled."""

    user_id: str
    provider: str
    issuer: str
    email_key: str | None
    email_verified: bool
    email_trusted: bool
    disabled_at: datetime | None


AnIdentity = OAuth | Locked
Found = TypeVar("Found", OAuth, Locked)

_THIS = (
    OAuth.provider == bindparam("provider"),
    OAuth.issuer == bindparam("issuer"),
    OAuth.subject == bindparam("subject"),
)
_FIND = select(OAuth).where(*_THIS)
# Lock the account before the identity; any other order can deadlock.
_LOCK_BOTH = CompiledSelect(
    select(
        *(getattr(OAuth, each.name) for each in fields(Locked) if each.name != "disabled_at"),
        User.disabled_at,
    )
    .select_from(User)
    .join(OAuth, OAuth.user_id == User.id)
    .where(*_THIS)
    .with_for_update(),
    Locked,
)
_FIND_OWNER = CompiledSelect(select(OAuth.user_id).where(*_THIS), str)
_LOCK = (
    select(User)
    .where(User.id == bindparam("user_id"))
    .with_for_update()
    .execution_options(populate_existing=True)
)
_OF_ADDRESS = CompiledSelect(
    select(
        OAuth.user_id,
        OAuth.provider,
        OAuth.issuer,
        OAuth.email_key,
        OAuth.email_verified,
        OAuth.email_trusted,
        User.disabled_at,
    )
    .join(User, User.id == OAuth.user_id)
    .where(OAuth.user_id.in_(select(OAuth.user_id).where(OAuth.email_key == bindparam("key")))),
    _WithAddress,
)
_ADD_USER = CompiledStatement(insert(User))
_ADD = CompiledStatement(insert(OAuth))


def _key(assertion: Assertion) -> dict[str, str]:
    return {
        "provider": assertion.provider,
        "issuer": assertion.issuer,
        "subject": assertion.profile.subject,
    }


def find(assertion: Assertion) -> OAuth | None:
    """Return the identity of an assertion, if it is known."""
    return db.session.scalar(_FIND, _key(assertion))


def look_up(
    find: Callable[[Assertion], Found | None], assertion: Assertion, policy: Policy
) -> tuple[Found | None, list[Match]]:
    """Return the identity or, if it is unknown, the accounts with its address.

    If there are such accounts, the identity is looked up again: a concurrent request of the same
    person may just have created the account, which would look like another person's.
    """
    identity = find(assertion)
    matches = [] if identity else matches_of(assertion.profile, policy)
    if matches:
        identity = find(assertion)
    return identity, [] if identity else matches


def lock_identity(assertion: Assertion) -> Locked | None:
    """Lock the identity with its account; always by identity, never by address or name.

    The previous holder of the locks may have removed the identity or moved it to another account.
    Then it is not found with its old account, and is looked up once more.
    """
    key = _key(assertion)
    while True:
        if found := _LOCK_BOTH.row(**key):
            return found
        if _FIND_OWNER.row(**key) is None:
            return None


def lock_user(user_id: str) -> User:
    """Lock an account. Raises StateMismatch if it is gone."""
    user = lock(user_id)
    if user is None:
        raise StateMismatch("the account is gone")
    return user


def lock(user_id: str) -> User | None:
    """Return the account as it is now, locked until this transaction ends."""
    return db.session.scalar(_LOCK, {"user_id": user_id})


def of_user(user_id: str) -> Sequence[OAuth]:
    """Return a person's identities as they are now, oldest first."""
    query = select(OAuth).where(OAuth.user_id == user_id).order_by(OAuth.linked_at, OAuth.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def own(user_id: str, identity_id: str) -> OAuth:
    """Return one of this person's identities. Raises NotFound, also for another person's."""
    # Compared here: PostgreSQL refuses some texts that an id from a URL may hold.
    identity = next((row for row in of_user(user_id) if row.id == identity_id), None)
    if identity is None:
        raise NotFound("no such identity of this account")
    return identity


def owner(identity: AnIdentity, policy: Policy | None = None) -> Owner:
    """Return what the rules need to know of the account that an identity opens.

    ``policy``: who may come in, if that is to be checked. This identity's own row does not count:
    the new profile, which is about to replace it, is judged instead.
    """
    since = identity.disabled_at if isinstance(identity, Locked) else identity.user.disabled_at
    allowed = True
    if policy and policy.allowed_email_domains:
        others = [row for row in of_user(identity.user_id) if row.id != identity.id]
        allowed = any_allowed(others, policy)
    return Owner(identity.user_id, disabled=since is not None, allowed=allowed)


def judged(identity: AnIdentity | None, assertion: Assertion) -> Profile:
    """Return the profile that decides: the provider's own current one. If another source vouches
    for a known identity, its profile may know less than the row, or be outdated."""
    if identity is None or not assertion.is_relayed:
        return assertion.profile
    return replace(
        assertion.profile,
        email=identity.email,
        email_verified=identity.email_verified,
        email_trusted=identity.email_trusted,
    )


def matches_of(profile: Profile, policy: Policy) -> list[Match]:
    """Return the accounts with an identity of the same address, each with its strongest claim."""
    if profile.email is None:
        return []
    by_user: dict[str, list[_WithAddress]] = {}
    for row in _OF_ADDRESS.rows(key=email_key(profile.email)):
        by_user.setdefault(row.user_id, []).append(row)
    return [_match(by_user[user_id], profile, policy) for user_id in sorted(by_user)]


def _match(rows: list[_WithAddress], profile: Profile, policy: Policy) -> Match:
    address = email_key(profile.email or "")
    same = [row for row in rows if row.email_key == address]
    return Match(
        rows[0].user_id,
        verified=any(row.email_verified for row in same),
        trusted=any(row.email_verified and row.email_trusted for row in same),
        disabled=rows[0].disabled_at is not None,
        reachable=any(policy.can_verify_ownership(row.provider, row.issuer) for row in rows),
    )


# Changes.


def add_user(profile: Profile) -> str:
    """Add a person without identities; return the id."""
    user_id = new_id()
    _ADD_USER.run(
        id=user_id,
        name=profile.name or profile.username,
        picture=profile.picture,
        created_at=now(),
        disabled_at=None,
        email_choice=None,
    )
    return user_id


def add(user_id: str, assertion: Assertion) -> Locked:
    """Add an identity to this person."""
    profile = assertion.profile
    identity = Locked(
        id=new_id(),  # the token is bound to it
        user_id=user_id,
        provider=assertion.provider,
        issuer=assertion.issuer,
        subject=profile.subject,
        email=profile.email,
        email_verified=profile.email_verified,
        email_trusted=profile.email_trusted,
        profile={},
        token=None,
        disabled_at=None,
    )
    values: Values = {
        "id": identity.id,
        "user_id": user_id,
        **_key(assertion),
        **dict.fromkeys(("token", "token_expires_at", "grant_ended_at")),
        "renewal": None,
        "renewal_until": None,
        "scopes": "",
        "linked_at": now(),
        **_of_profile(profile, {}),
        **_of_assertion(identity, assertion),
    }
    _ADD.run(**values)
    identity.profile, identity.token = values["profile"], values["token"]
    return identity


def use(identity: AnIdentity, assertion: Assertion, caller: Caller) -> None:
    """Update an identity that signed in: take over the provider's profile and token.

    The profile of another source changes nothing: it knows less, or has another address.
    """
    if assertion.is_relayed:
        _update(identity, {"last_used_at": now()})
        return
    _take_over(identity, assertion.profile, caller, _of_assertion(identity, assertion))


def take_over(identity: AnIdentity, profile: Profile, caller: Caller) -> None:
    """Take over the provider's current profile; the person's address may change with it."""
    _take_over(identity, profile, caller, {})


def _take_over(identity: AnIdentity, profile: Profile, caller: Caller, more: Values) -> None:
    moved = (profile.email, profile.email_verified) != (identity.email, identity.email_verified)
    before = _address(identity.user_id) if moved else None
    picture = identity.profile.get("picture")
    if picture and picture != profile.picture:
        user = lock_user(identity.user_id)
        if user.picture == picture:
            user.picture = profile.picture
    _update(identity, {**_of_profile(profile, identity.profile), **more})
    if moved and (after := _address(identity.user_id)) != before:
        record(identity, EventKind.EMAIL_CHANGED, caller, detail=after or "")


def _address(user_id: str) -> str | None:
    """Return a person's current address."""
    identity = address_of(of_user(user_id), lock_user(user_id).email_choice)
    return identity.email if identity else None


def _update(identity: AnIdentity, values: Values) -> None:
    """Write these columns immediately, without the ORM, and update the object."""
    _update_of(tuple(values)).run(identity_id=identity.id, **values)
    if isinstance(identity, Locked):
        vars(identity).update({name: values[name] for name in vars(identity) if name in values})
    else:
        for name, value in values.items():
            set_committed_value(identity, name, value)


@functools.cache
def _update_of(names: tuple[str, ...]) -> CompiledStatement:
    values: Values = {name: bindparam(name) for name in names}
    return CompiledStatement(
        update(OAuth).where(OAuth.id == bindparam("identity_id")).values(values)
    )


def _of_profile(profile: Profile, earlier: Mapping[str, Any]) -> Values:
    return {
        "email": profile.email,
        "email_key": email_key(profile.email) if profile.email else None,
        "email_verified": profile.email_verified,
        "email_trusted": profile.email_trusted,
        "profile": {
            # Apple sends it on the first visit only.
            "name": profile.name or earlier.get("name"),
            "username": profile.username,
            "picture": profile.picture,
        },
        "read_at": now(),
    }


def _of_assertion(identity: AnIdentity, assertion: Assertion) -> Values:
    """Return the columns of an assertion. An ID token alone leaves the provider's token as
    it is."""
    values: Values = {"last_used_at": now()}
    if assertion.token:
        values |= {"scopes": " ".join(assertion.scopes), **tokens.stored(identity, assertion.token)}
    return values


def record(
    identity: AnIdentity, kind: EventKind, caller: Caller, reason: str = "", detail: str = ""
) -> None:
    """Record an event about this identity in its owner's activity."""
    activity.record(
        identity.user_id,
        kind,
        caller,
        provider=identity.provider,
        reason=reason,
        detail=detail or identity.handle,
    )
