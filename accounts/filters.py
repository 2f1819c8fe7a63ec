"""Filters of the list of people: those whom an operator has to do something about."""

from typing import Literal

from sqlalchemy import ColumnElement, false, not_, or_, select, true, tuple_

from accounts import admins
from accounts.rules import Policy
from models import OAuth, User

# stranded: nobody can sign in to the account here, as its providers are off or it has no identity.
Only = Literal["", "pending", "disabled", "stranded", "admins"]


def condition(only: Only, policy: Policy) -> ColumnElement[bool]:
    """Return a filter as a condition on users."""
    if only == "pending":
        return User.pending_at.is_not(None)
    if only == "disabled":
        return User.disabled_at.is_not(None)
    if only == "stranded":
        theirs = select(OAuth.id).where(OAuth.user_id == User.id, _is_usable(policy))
        return not_(theirs.exists())
    return admins.condition(policy) if only == "admins" else true()


def _is_usable(policy: Policy) -> ColumnElement[bool]:
    if policy.usable is None:
        return true()
    pairs = sorted(policy.usable)
    return or_(false(), tuple_(OAuth.provider, OAuth.issuer).in_(pairs))
