"""Rows of users: added and locked.

An account is locked before its identities are counted or moved.
"""

from collections.abc import Collection

import structlog
from sqlalchemy import bindparam, insert, select, update

from access import roles
from accounts import activity
from accounts.activity import Caller, EventKind
from errors import AccountDeleted
from models import User
from providers.base import Profile
from storage import atomic, db, new_id, now
from storage.compiled import CompiledStatement

log = structlog.get_logger()

_LOCK = (
    select(User)
    .where(User.id == bindparam("user_id"))
    .with_for_update()
    .execution_options(populate_existing=True)
)
_ADD = CompiledStatement(insert(User))


def find_locked(user_id: str) -> User | None:
    """Return the account as it is now, locked until this transaction ends."""
    return db.session.scalar(_LOCK, {"user_id": user_id})


def lock(user_id: str) -> User:
    """Do the same; raise AccountDeleted if it is gone."""
    user = find_locked(user_id)
    if user is None:
        raise AccountDeleted("the account is gone")
    return user


def exists(user_id: str) -> bool:
    """Tell whether an account has not been deleted."""
    return bool(db.session.scalar(select(User.id).where(User.id == user_id)))


def lock_all(user_ids: Collection[str]) -> None:
    """Lock several accounts, always in the same order; any other can deadlock."""
    for user_id in sorted(user_ids):
        find_locked(user_id)


def is_admitted(user_id: str) -> bool:
    """Tell whether an invitation lets a person in, whether a rule of access is met or not."""
    return db.session.scalar(select(User.admitted_at).where(User.id == user_id)) is not None


def add(profile: Profile, *, is_pending: bool = False, is_admitted: bool = False) -> str:
    """Add a person without identities; return the id."""
    user_id = new_id()
    if is_pending:
        log.info("account_waiting", user=user_id)
    _ADD.run(
        id=user_id,
        name=profile.name or profile.username,
        picture=profile.picture,
        created_at=now(),
        disabled_at=None,
        pending_at=now() if is_pending else None,
        admitted_at=now() if is_admitted else None,
        role_names="",
        email_choice=None,
    )
    return user_id


def give_roles(user_id: str, names: Collection[str], caller: Caller) -> None:
    """Have a person's roles be these. The account is locked by the caller, or is just being
    made."""
    before = roles.of_user(user_id)
    text = roles.join(names)
    after = roles.split(text)
    if before == after:
        return
    db.session.execute(update(User).where(User.id == user_id).values(role_names=text))
    gained = [name for name in after if name not in before]
    lost = [name for name in before if name not in after]
    for kind, changed in ((EventKind.ROLE_GAINED, gained), (EventKind.ROLE_LOST, lost)):
        for name in changed:
            activity.record(user_id, kind, caller, detail=name)


@atomic
def note_refusal(
    user_id: str, kind: EventKind, caller: Caller, *, provider: str, reason: str
) -> None:
    """Record a refusal in a person's activity, if their account still exists."""
    if find_locked(user_id):
        activity.record(user_id, kind, caller, provider=provider, reason=reason)
