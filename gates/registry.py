"""Gates: their names, the origins behind them, and whom they admit. The only writer of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import delete, select, update

from errors import NotFound
from gates.models import GateHostRow, GateRow
from storage import atomic, db, new_id, now

log = structlog.get_logger()

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
SEPARATOR = " "


@dataclass(frozen=True)
class Gate:
    """A gate. ``allow``: its rules (accounts/admission.py)."""

    id: str
    name: str
    origins: list[str]
    allow: list[str]
    created_at: datetime


class Taken(NotFound):
    """The name or an origin belongs to a gate already."""


def is_name(name: str) -> bool:
    return NAME.fullmatch(name) is not None


def split(rules: str) -> list[str]:
    """Return the rules of a gate, as they are stored."""
    return rules.split(SEPARATOR) if rules else []


def every() -> Sequence[Gate]:
    """Return all gates, by name."""
    rows = db.session.scalars(select(GateRow).order_by(GateRow.name)).all()
    return [_gate(row) for row in rows]


def find(name: str) -> Gate | None:
    """Return the gate of this name."""
    if not is_name(name):
        return None
    row = db.session.scalar(select(GateRow).where(GateRow.name == name))
    return _gate(row) if row else None


def get(name: str) -> Gate:
    """Return the gate of this name. Raises NotFound."""
    gate = find(name)
    if gate is None:
        raise NotFound("There is no such gate")
    return gate


def of_origin(origin: str) -> Gate | None:
    """Return the gate that stands before an origin."""
    query = select(GateRow).join(GateHostRow, GateHostRow.gate_id == GateRow.id)
    row = db.session.scalar(query.where(GateHostRow.origin == origin))
    return _gate(row) if row else None


def _gate(row: GateRow) -> Gate:
    query = select(GateHostRow.origin).where(GateHostRow.gate_id == row.id)
    origins = db.session.scalars(query.order_by(GateHostRow.origin)).all()
    return Gate(row.id, row.name, list(origins), split(row.rules), row.created_at)


@atomic
def add(name: str, origins: Sequence[str], allow: Sequence[str]) -> Gate:
    """Add a gate. Raises Taken."""
    if find(name):
        raise Taken(f"There is a gate {name} already")
    for origin in origins:
        if other := of_origin(origin):
            raise Taken(f"{origin} is behind the gate {other.name} already")
    row = GateRow(id=new_id(), name=name, rules=SEPARATOR.join(allow), created_at=now())
    db.session.add(row)
    db.session.flush()
    db.session.add_all(GateHostRow(origin=each, gate_id=row.id) for each in dict.fromkeys(origins))
    db.session.flush()
    log.info("gate_added", gate=name, origins=list(origins))
    return get(name)


@atomic
def change_rules(name: str, allow: Sequence[str]) -> Gate:
    """Replace the rules of a gate; they count from the next request on. Raises NotFound."""
    gate = get(name)
    rules = SEPARATOR.join(allow)
    db.session.execute(update(GateRow).where(GateRow.id == gate.id).values(rules=rules))
    db.session.expire_all()
    log.info("gate_changed", gate=name, rules=rules)
    return get(name)


@atomic
def remove(name: str) -> None:
    """Delete a gate, and let nobody in there any more. Raises NotFound."""
    gate = get(name)
    db.session.execute(delete(GateRow).where(GateRow.id == gate.id))
    log.info("gate_removed", gate=name)
