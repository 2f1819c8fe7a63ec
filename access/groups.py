"""Groups: names that people have, by hand, by an invitation or by a rule.

A group exists while somebody is in it.
"""

import re
from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import NamedTuple, cast

from sqlalchemy import ScalarSelect, Select, bindparam, delete, func, insert, literal_column, select

from access.models import Membership
from models import User
from storage import atomic, db, now
from storage.compiled import CompiledSelect

NAME = re.compile(r"[a-z0-9_-]{1,64}")
SEPARATOR = " "


class Source(StrEnum):
    """Why somebody is in a group; the values are stored."""

    MANUAL = "manual"
    INVITATION = "invite"
    RULE = "rule"


class Group(NamedTuple):
    """A group, and how many people are in it."""

    name: str
    members: int


class Member(NamedTuple):
    """A person in a group, and one of the reasons."""

    user_id: str
    source: str


_OF_USER = CompiledSelect(
    select(Membership.group_name)
    .where(Membership.user_id == bindparam("user_id"))
    .distinct()
    .order_by(Membership.group_name),
    str,
)


def is_name(name: str) -> bool:
    return NAME.fullmatch(name) is not None


def of_user(user_id: str) -> list[str]:
    """Return the names of a person's groups, in order."""
    return _OF_USER.rows(user_id=user_id)


def of_users(user_ids: Collection[str]) -> dict[str, list[str]]:
    """Return the names of people's groups, in order, by user id."""
    found: dict[str, list[str]] = {}
    query = select(Membership.user_id, Membership.group_name).distinct()
    query = query.where(Membership.user_id.in_(user_ids)).order_by(Membership.group_name)
    for user_id, name in db.session.execute(query):
        found.setdefault(user_id, []).append(name)
    return found


def reasons(user_id: str) -> dict[str, list[str]]:
    """Return why a person is in each of their groups, by name in order: values of ``Source``."""
    query = select(Membership.group_name, Membership.source).where(Membership.user_id == user_id)
    found: dict[str, list[str]] = {}
    for name, source in db.session.execute(
        query.order_by(Membership.group_name, Membership.source)
    ):
        found.setdefault(name, []).append(source)
    return found


def names_of_user() -> ScalarSelect[str]:
    """Select the groups of ``User.id`` as one text, in a statement about users (``split``)."""
    # A bound separator would have to be rendered when the statement runs.
    separator = cast(str, literal_column(f"'{SEPARATOR}'"))
    names = func.aggregate_strings(Membership.group_name, separator)
    return select(names).where(Membership.user_id == User.id).correlate(User).scalar_subquery()


def split(text: str | None) -> list[str]:
    """Return the names that ``names_of_user`` selected, in order."""
    return sorted(set(text.split(SEPARATOR))) if text else []


@atomic
def add(user_id: str, name: str, source: Source = Source.MANUAL) -> bool:
    """Put a person into a group; returns False if they were in it for this reason already.

    The account is locked by the caller, or is just being made.
    """
    this = {"user_id": user_id, "group_name": name, "source": source.value}
    if db.session.scalar(select(Membership.added_at).filter_by(**this)):
        return False
    db.session.execute(insert(Membership).values(**this, added_at=now()))
    return True


@atomic
def remove(user_id: str, name: str) -> bool:
    """Take a person out of a group, whatever put them there; returns whether they were in it.

    The next check of the rules puts back what a rule gives.
    """
    which = (Membership.user_id == user_id, Membership.group_name == name)
    found = db.session.scalars(select(Membership.source).where(*which)).all()
    db.session.execute(delete(Membership).where(*which))
    return bool(found)


@atomic
def replace_of_rules(user_id: str, names: Collection[str]) -> tuple[list[str], list[str]]:
    """Have a person's groups by rules be these; return those gained and those lost, in order.

    Groups that are theirs by hand or by an invitation stay. The account is locked by the caller.
    """
    before = set(of_user(user_id))
    which = (Membership.user_id == user_id, Membership.source == Source.RULE.value)
    had = set(db.session.scalars(select(Membership.group_name).where(*which)))
    if gone := had - set(names):
        db.session.execute(delete(Membership).where(*which, Membership.group_name.in_(gone)))
    for name in sorted(set(names) - had):
        add(user_id, name, Source.RULE)
    after = set(of_user(user_id))
    return sorted(after - before), sorted(before - after)


def select_given_by_rules() -> Select[str]:
    """Select the ids of people in a group by a rule."""
    return select(Membership.user_id).where(Membership.source == Source.RULE.value)


def move(from_user_id: str, to_user_id: str) -> None:
    """Give one account's groups to another, which was merged with it: those by hand and by
    invitation. Call within an atomic verb."""
    which = (Membership.user_id == from_user_id, Membership.source != Source.RULE.value)
    rows = db.session.execute(select(Membership.group_name, Membership.source).where(*which)).all()
    for name, source in rows:
        add(to_user_id, name, Source(source))


def all_groups() -> list[Group]:
    """Return all groups, by name."""
    number = func.count(Membership.user_id.distinct())
    query = select(Membership.group_name, number).group_by(Membership.group_name)
    rows = db.session.execute(query.order_by(Membership.group_name)).all()
    return [Group(name, members) for name, members in rows]


def members(name: str, *, after: str = "", limit: int = 100) -> Sequence[Member]:
    """Return the people in a group, by id; ``after``: the id of the last one seen."""
    source = func.min(Membership.source)
    query = select(Membership.user_id, source).where(
        Membership.group_name == name, Membership.user_id > after
    )
    query = query.group_by(Membership.user_id).order_by(Membership.user_id).limit(limit)
    return [Member(*row) for row in db.session.execute(query).all()]
