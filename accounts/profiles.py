"""Profiles: what others read of a person, with their identities, by one statement."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from models import Identity, OAuth, User
from storage.compiled import CompiledSelect


@dataclass(frozen=True)
class Account:
    """The columns of a user that describe the person."""

    id: str
    name: str | None
    picture: str | None
    created_at: datetime
    role_names: str
    email_choice: str | None


_OF_ACCOUNT = [User.__table__.c[each.name] for each in fields(Account)]
_OF_IDENTITY = [OAuth.__table__.c[each.name] for each in fields(Identity)]


def _found(*columns: Any) -> tuple[Account, Identity | None]:
    own, identity = columns[: len(_OF_ACCOUNT)], columns[len(_OF_ACCOUNT) :]
    return Account(*own), Identity(*identity) if identity[0] is not None else None


_FIND = CompiledSelect(
    select(*_OF_ACCOUNT, *_OF_IDENTITY)
    .select_from(User)
    .outerjoin(OAuth, OAuth.user_id == User.id)
    .where(User.id == bindparam("user_id"), User.disabled_at.is_(None))
    .order_by(OAuth.linked_at, OAuth.id),
    _found,
)


def find(user_id: str) -> tuple[Account, Sequence[Identity]] | None:
    """Return a person who is not disabled, and their identities, the oldest first."""
    rows = _FIND.rows(user_id=user_id)
    if not rows:
        return None
    return rows[0][0], [identity for _account, identity in rows if identity is not None]
