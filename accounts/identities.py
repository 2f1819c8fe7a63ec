"""Identities: found, locked, added, changed and removed. Returns values, never rows.

Used by the verbs of this room, each of which is one transaction: callers are within one, and have
locked the account before they change a row here.
"""

import functools
from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import bindparam, delete, insert, or_, select, update

from accounts import activity
from accounts.activity import Caller, EventKind
from errors import NotFound, ProviderBusy, ProviderError
from models import NOT_SHARED_SINCE, Identity, OAuth, User
from providers.base import Assertion, Profile
from providers.profile import email_key
from storage import db, new_id, now
from storage.compiled import CompiledSelect, CompiledStatement
from vault import marks, tokens

log = structlog.get_logger()

# Columns of an identity, by name.
Values = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """A known identity with its account: when that was disabled, since when it waits for approval,
    since when it is held and why, when it is deleted, and whether it lacks a name or a picture that
    nobody chose to leave out."""

    identity: Identity
    disabled_at: datetime | None
    pending_at: datetime | None
    held_at: datetime | None
    held_reason: str | None
    delete_due_at: datetime | None
    # The databases have 0 and 1 here, or a truth value.
    lacks: bool | int


def _found(*columns: Any) -> Found:
    of_identity, of_account = columns[: len(_COLUMNS)], columns[len(_COLUMNS) :]
    return Found(Identity(*of_identity), *of_account)


_COLUMNS = [OAuth.__table__.c[each.name] for each in fields(Identity)]
_THIS = (
    OAuth.provider == bindparam("provider"),
    OAuth.issuer == bindparam("issuer"),
    OAuth.subject == bindparam("subject"),
)
_WITH_OWNER = (
    select(
        *_COLUMNS,
        User.disabled_at,
        User.pending_at,
        User.held_at,
        User.held_reason,
        User.delete_due_at,
        or_(User.name.is_(None), User.picture.is_(None)),
    )
    .select_from(User)
    .join(OAuth, OAuth.user_id == User.id)
    .where(*_THIS)
)
_FIND = CompiledSelect(_WITH_OWNER, _found)
# Lock the account before the identity; any other order can deadlock.
_LOCK_BOTH = CompiledSelect(_WITH_OWNER.with_for_update(), _found)
_FIND_OWNER = CompiledSelect(select(OAuth.user_id).where(*_THIS), str)
_OF_USER = CompiledSelect(
    select(*_COLUMNS)
    .where(OAuth.user_id == bindparam("user_id"))
    .order_by(OAuth.linked_at, OAuth.id),
    Identity,
)
_ADD = CompiledStatement(insert(OAuth))


def find(assertion: Assertion) -> Found | None:
    """Return the identity of an assertion, if it is known."""
    return _FIND.row(**_key(assertion))


def lock(assertion: Assertion) -> Found | None:
    """Lock the identity with its account; always by identity, never by address or name.

    The previous holder of the locks may have moved the identity to another account. Then the join
    with its old account finds nothing, and it is looked up again.
    """
    return lock_key(**_key(assertion))


def lock_key(provider: str, issuer: str, subject: str) -> Found | None:
    """Do the same for an identity that is named by its key."""
    key = {"provider": provider, "issuer": issuer, "subject": subject}
    while True:
        if found := _LOCK_BOTH.row(**key):
            return found
        if _FIND_OWNER.row(**key) is None:
            return None


def _key(assertion: Assertion) -> dict[str, str]:
    return {
        "provider": assertion.provider,
        "issuer": assertion.issuer,
        "subject": assertion.profile.subject,
    }


def of_user(user_id: str) -> list[Identity]:
    """Return a person's identities as they are now, oldest first."""
    return _OF_USER.rows(user_id=user_id)


def of_ids(identity_ids: Collection[str]) -> list[Identity]:
    """Return these identities, if they are still there, whoever's they are."""
    rows = db.session.execute(select(*_COLUMNS).where(OAuth.id.in_(identity_ids))).all()
    return [Identity(*row) for row in rows]


def own(user_id: str, identity_id: str) -> Identity:
    """Return one of this person's identities. Raises NotFound, also for another person's."""
    # Compared here: PostgreSQL refuses some texts that an id from a URL may hold.
    identity = next((each for each in of_user(user_id) if each.id == identity_id), None)
    if identity is None:
        raise NotFound("no such identity of this account")
    return identity


def check_complete(assertion: Assertion) -> None:
    """Raise ProviderBusy or ProviderError if a part of an unknown identity's profile could not be
    read: its address might be an account's."""
    if assertion.incomplete:
        kind = ProviderBusy if assertion.incomplete == ProviderBusy.code else ProviderError
        raise kind("a part of the new identity's profile could not be read")


def recognise(assertion: Assertion) -> Assertion:
    """Return an assertion without a subject with the one of the known identity whose username it
    has, and whose address, if one is stored: a username alone may have got another holder.

    Raises ProviderError if there is no such identity, or several.
    """
    profile = assertion.profile
    if profile.subject:
        return assertion
    rows = db.session.execute(
        select(OAuth.subject, OAuth.email_key).where(
            OAuth.provider == assertion.provider,
            OAuth.issuer == assertion.issuer,
            OAuth.profile["username"].as_string() == profile.username,
        )
    ).all()
    address = email_key(profile.email) if profile.email else None
    subjects = [row.subject for row in rows if row.email_key in (None, address)]
    if len(subjects) != 1:
        raise ProviderError("the answer has no subject, and no known identity is like it")
    log.warning("recognised_by_username", provider=assertion.provider)
    return replace(assertion, profile=replace(profile, subject=subjects[0]))


def owner_of(assertion: Assertion) -> User | None:
    """Return the person whose account an identity opens, if any."""
    found = find(assertion)
    return db.session.get(User, found.identity.user_id) if found else None


# Changes.


def add(user_id: str, assertion: Assertion) -> Identity:
    """Add an identity to this person."""
    profile = assertion.profile
    identity = Identity(
        id=new_id(),  # the token is bound to it
        user_id=user_id,
        provider=assertion.provider,
        issuer=assertion.issuer,
        subject=profile.subject,
        email=profile.email,
        email_verified=profile.email_verified,
        email_trusted=profile.email_trusted,
        profile={},
        read_at=None,
        scopes="",
        token=None,
        token_expires_at=None,
        grant_ended_at=None,
        suspended_at=None,
        suspended_reason=None,
        email_dead_at=None,
        linked_at=now(),
        last_used_at=now(),
    )
    values = profile_columns(profile) | assertion_columns(identity, assertion)
    renewal = {"renewal": None, "renewal_until": None}
    _ADD.run(**(vars(identity) | renewal | values))
    return _changed(identity, values)


def change(identity: Identity, values: Values) -> Identity:
    """Write these columns of its row; return the new value."""
    _update_of(tuple(values)).run(identity_id=identity.id, **values)
    return _changed(identity, values)


def _changed(identity: Identity, values: Values) -> Identity:
    known = vars(identity)
    return replace(identity, **{name: values[name] for name in values if name in known})


@functools.cache
def _update_of(names: tuple[str, ...]) -> CompiledStatement:
    values: Values = {name: bindparam(name) for name in names}
    return CompiledStatement(
        update(OAuth).where(OAuth.id == bindparam("identity_id")).values(values)
    )


def remove(identity: Identity) -> None:
    """Delete its row. The token in it is revoked separately (vault/revocations.py)."""
    db.session.execute(delete(OAuth).where(OAuth.id == identity.id))


def move(from_user_id: str, to_user_id: str) -> None:
    """Move one account's identities to another."""
    db.session.execute(
        update(OAuth).where(OAuth.user_id == from_user_id).values(user_id=to_user_id)
    )


def move_one(identity_id: str, to_user_id: str) -> None:
    """Move one identity to another account."""
    db.session.execute(update(OAuth).where(OAuth.id == identity_id).values(user_id=to_user_id))


def profile_columns(profile: Profile, earlier: Identity | None = None) -> Values:
    """Return the columns of a profile, which replaces the earlier one.

    An address that is not shared any more stays, with the time since when; another one replaces
    it. It joins no accounts from then on: it may have got another holder.
    """
    known = earlier.profile if earlier else {}
    columns: Values = {
        "email": profile.email,
        "email_key": email_key(profile.email) if profile.email else None,
        "email_verified": profile.email_verified,
        "email_trusted": profile.email_trusted,
    }
    values = {
        # Apple gives the name on the first visit only.
        "name": profile.name or known.get("name"),
        "username": profile.username,
        "picture": profile.picture,
    }
    if earlier and earlier.email_dead_at and columns["email_key"] != email_key(earlier.email or ""):
        columns["email_dead_at"] = None  # that was about another address
    if earlier and earlier.email and not profile.email:
        columns = {"email_trusted": False}
        values[NOT_SHARED_SINCE] = known.get(NOT_SHARED_SINCE) or now().isoformat()
    return {**columns, "profile": values, "read_at": now()}


def assertion_columns(identity: Identity, assertion: Assertion) -> Values:
    """Return the other columns that an assertion sets.

    An ID token alone leaves the provider's token as it is.
    """
    values: Values = {"last_used_at": now()}
    if assertion.token:
        scopes = " ".join(assertion.scopes)
        values |= {"scopes": scopes, **tokens.token_columns(identity, assertion.token)}
        marks.note(identity.id, identity.provider, assertion.token)
    return values


def record(
    identity: Identity, kind: EventKind, caller: Caller, reason: str = "", detail: str = ""
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
