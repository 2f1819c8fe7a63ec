"""Administrators: who may use the operator's pages.

Somebody has the right by their row (a command or a link gave it), or because ADMINS names an
identity of theirs. It is read with each request, so it ends with the next one everywhere.
"""

from sqlalchemy import ColumnElement, and_, or_, select, union

from accounts import activity, admin_log, users
from accounts.activity import Caller, EventKind
from accounts.admin_log import Act
from accounts.rules import Policy
from errors import LastAdmin
from models import OAuth, User
from storage import atomic, db, now


def is_admin(user: User, policy: Policy) -> bool:
    """Tell whether a person is an administrator."""
    return user.admin_at is not None or is_named(user, policy)


def is_named(user: User, policy: Policy) -> bool:
    """Tell whether ADMINS names an identity of a person, who then keeps the right."""
    return bool(policy.admins) and any(
        (each.provider, each.issuer, each.subject) in policy.admins for each in user.identities
    )


def condition(policy: Policy) -> ColumnElement[bool]:
    """Return the same as a condition on users."""
    if not policy.admins:
        return User.admin_at.is_not(None)
    have_right = select(User.id).where(User.admin_at.is_not(None))
    named = or_(
        *(
            and_(OAuth.provider == provider, OAuth.issuer == issuer, OAuth.subject == subject)
            for provider, issuer, subject in sorted(policy.admins)
        )
    )
    # With OR in place of UNION, a database would read everybody.
    return User.id.in_(union(have_right, select(OAuth.user_id).where(named)))


@atomic
def make(user_id: str, caller: Caller) -> bool:
    """Make a person an administrator; returns False if they were one. Raises AccountDeleted."""
    user = users.lock(user_id)
    if user.admin_at is not None:
        return False
    user.admin_at = now()
    activity.record(user_id, EventKind.ADMIN_MADE, caller)
    admin_log.record(caller, Act.ADMIN_MADE, user_id=user_id)
    return True


@atomic
def unmake(user_id: str, caller: Caller) -> bool:
    """Take the right away; returns False if the person did not have it by their row.

    Raises AccountDeleted.
    """
    user = users.lock(user_id)
    if user.admin_at is None:
        return False
    user.admin_at = None
    activity.record(user_id, EventKind.ADMIN_UNMADE, caller)
    admin_log.record(caller, Act.ADMIN_UNMADE, user_id=user_id)
    return True


@atomic
def keep_another(user_id: str, policy: Policy) -> None:
    """Raise LastAdmin if no other administrator would be left without this one.

    Call first within the verb: all administrators stay locked, so of two who remove each other
    the second sees the first.
    """
    query = select(User).where(condition(policy)).order_by(User.id).with_for_update()
    found = db.session.scalars(query.execution_options(populate_existing=True)).all()
    others = [each for each in found if each.id != user_id and each.is_active]
    if not others and any(each.id == user_id for each in found):
        raise LastAdmin("the last administrator")
