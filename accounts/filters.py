"""Filters of the list of people: those whom an operator has to do something about."""

from typing import Literal

from sqlalchemy import ColumnElement, and_, false, or_, select, true, tuple_

from accounts import admins
from accounts.rules import Policy
from models import OAuth, User

# suspended: with an identity that opens nothing. held: changes of the account wait.
# stranded: nobody can sign in to the account here, as its identities are suspended, their providers
# off, or there are none.
Only = Literal["", "pending", "disabled", "suspended", "held", "stranded", "admins"]


def condition(only: Only, policy: Policy) -> ColumnElement[bool]:
    """Return a filter as a condition on users."""
    if only == "pending":
        return User.pending_at.is_not(None)
    if only == "disabled":
        return User.disabled_at.is_not(None)
    if only == "suspended":
        return User.id.in_(select(OAuth.user_id).where(OAuth.suspended_at.is_not(None)))
    if only == "held":
        return User.held_at.is_not(None)
    if only == "stranded":
        # As a value it is looked up for one person after the other; of NOT EXISTS, a database may
        # read all identities first.
        theirs = select(OAuth.id).where(OAuth.user_id == User.id, _is_usable(policy)).limit(1)
        return theirs.correlate(User).scalar_subquery().is_(None)
    return admins.condition(policy) if only == "admins" else true()


def _is_usable(policy: Policy) -> ColumnElement[bool]:
    is_lifted = OAuth.suspended_at.is_(None)
    if policy.usable is None:
        return is_lifted
    pairs = sorted(policy.usable)
    return and_(is_lifted, or_(false(), tuple_(OAuth.provider, OAuth.issuer).in_(pairs)))
