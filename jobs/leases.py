"""Leases: the one way to make a row one instance's for a while, by the database's clock.

A lease is taken by an UPDATE that only one can win. No lock and no connection is held after it, so
its holder may ask others for as long as the lease lasts; if it dies, the row is free again by
itself. Each lease has a number or id of its own, so a holder that was too slow writes nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Integer, or_, update
from sqlalchemy.orm import InstrumentedAttribute

from storage import db, new_id
from storage.clock import DatabaseTime

Column = InstrumentedAttribute[Any]
Values = dict[Any, object]


@dataclass(frozen=True)
class Leasable:
    """The columns of a table whose rows are leased.

    ``free_at``: when a row may be leased (again); NULL: now. ``lease``: the number or id of the
    latest lease.
    """

    key: InstrumentedAttribute[str]
    free_at: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]
    lease: Column

    @property
    def is_free(self) -> ColumnElement[bool]:
        """The condition that a row is not leased, and is due."""
        return or_(self.free_at.is_(None), self.free_at <= DatabaseTime())

    def successor(self, seen: int | str | None) -> int | str:
        if isinstance(self.lease.type, Integer):
            assert isinstance(seen, int)
            return seen + 1
        return new_id()


@dataclass(frozen=True)
class Lease:
    """A lease on one row."""

    rows: Leasable
    key: str
    id: int | str


def lease_row(
    rows: Leasable,
    key: str,
    seen: int | str | None,
    seconds: float,
    *,
    even_if_leased: bool = False,
) -> Lease | None:
    """Lease a row for so many seconds; None if another was faster, or it is not free.

    ``seen``: the number or id of the latest lease, as it was just read. ``even_if_leased``: take
    the row away from its holder. Call within an atomic verb.
    """
    lease = Lease(rows, key, rows.successor(seen))
    conditions = [rows.key == key, rows.lease.is_not_distinct_from(seen)]
    if not even_if_leased:
        conditions.append(rows.is_free)
    values: Values = {rows.free_at: DatabaseTime(seconds), rows.lease: lease.id}
    return lease if _update(rows, conditions, values) else None


def renew_lease(lease: Lease, seconds: float, **values: object) -> bool:
    """Keep a row for so many seconds from now, and write these columns.

    Returns False, and writes nothing, if the lease is no longer ours. Call within an atomic verb.
    """
    more = {getattr(lease.rows.key.class_, name): value for name, value in values.items()}
    return _update(lease.rows, _ours(lease), {lease.rows.free_at: DatabaseTime(seconds), **more})


def release_lease(lease: Lease) -> bool:
    """Free a row whose columns may be NULL; returns whether the lease was still ours.

    Call within an atomic verb, which then has the row locked.
    """
    return _update(lease.rows, _ours(lease), {lease.rows.free_at: None, lease.rows.lease: None})


def _ours(lease: Lease) -> list[ColumnElement[bool]]:
    return [lease.rows.key == lease.key, lease.rows.lease == lease.id]


def _update(rows: Leasable, conditions: list[ColumnElement[bool]], values: Values) -> bool:
    statement = update(rows.key.class_).where(*conditions).values(values)
    statement = statement.execution_options(synchronize_session=False)
    return cast(CursorResult[Any], db.session.execute(statement)).rowcount == 1
