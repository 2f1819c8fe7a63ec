"""Roles: names that rules give to people, for applications. Nobody gets one by hand."""

from collections.abc import Collection

from sqlalchemy import bindparam, select

from access.groups import SEPARATOR
from models import User
from storage.compiled import CompiledSelect

_OF_USER = CompiledSelect(select(User.role_names).where(User.id == bindparam("user_id")), str)


def of_user(user_id: str) -> list[str]:
    """Return the names of a person's roles, in order."""
    rows = _OF_USER.rows(user_id=user_id)
    return split(rows[0]) if rows else []


def split(text: str) -> list[str]:
    """Return the names in ``User.role_names``."""
    return text.split()


def join(names: Collection[str]) -> str:
    return SEPARATOR.join(sorted(set(names)))
