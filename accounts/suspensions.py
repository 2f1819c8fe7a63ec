"""Suspensions: identities that open nothing, and by whom they may be lifted.

A suspended identity is no way in, and its address joins nothing. It stays in its account.
"""

from datetime import datetime
from enum import StrEnum

from accounts import holds, identities, users
from accounts.activity import Caller
from accounts.holds import Hold
from accounts.identities import Found
from models import Identity
from notices import webhooks
from notices.webhook_events import WebhookType
from providers.base import Assertion
from storage import now


class Suspension(StrEnum):
    """Why an identity is suspended; the values are stored."""

    HIJACKED = "hijacked"
    DISABLED = "disabled"
    # Its account's person said that it is not theirs; only they and operators lift that.
    NOT_ME = "not_me"


def holds_back(identity: Identity, assertion: Assertion) -> bool:
    """Tell whether an identity is suspended for this assertion.

    A sign-in that began after the provider suspended an identity proves that it is back there, so a
    lost notice of that locks nobody out.
    """
    if identity.suspended_at is None:
        return False
    if identity.suspended_reason == Suspension.NOT_ME or assertion.begun_at is None:
        return True
    return assertion.begun_at <= identity.suspended_at.timestamp()


def suspend(identity: Identity, reason: Suspension, since: datetime | None = None) -> Identity:
    """Suspend an identity. Only its person can lift what they asked for themselves, so that stays.

    ``since``: sign-ins that began later lift it. Call with the account locked.
    """
    if identity.suspended_reason == Suspension.NOT_ME:
        return identity
    values = {"suspended_at": min(since or now(), now()), "suspended_reason": reason.value}
    ids = {"user_id": identity.user_id, "identity_id": identity.id}
    facts = {"provider": identity.provider, "reason": reason.value}
    webhooks.plan(WebhookType.IDENTITY_SUSPENDED, {**ids, **facts})
    return identities.change(identity, values)


def come_back(found: Found, identity: Identity, assertion: Assertion, caller: Caller) -> Identity:
    """Lift what a provider asked for, at a sign-in that began after it. Nothing that the person
    asked for is lifted. The account is locked; ``identity``: its row as it is now."""
    if identity.suspended_at is not None and not holds_back(identity, assertion):
        identity = lift(identity)
    held_at = found.held_at if found.held_reason == Hold.HIJACKED else None
    if held_at and assertion.begun_at and assertion.begun_at > held_at.timestamp():
        holds.release(users.lock(identity.user_id), caller)
    return identity


def lift(identity: Identity) -> Identity:
    """Put an identity back into use. Call with the account locked."""
    return identities.change(identity, {"suspended_at": None, "suspended_reason": None})
