"""Rows of flows: found, added and deleted, with their secrets sealed.

Used by flows.py and questions.py, the only writers of flows.
"""

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select

from accounts.models import Flow
from errors import Expired, StateMismatch, TokenUnreadable
from storage import now
from storage.compiled import CompiledSelect, CompiledStatement
from vault import tokens


@dataclass(frozen=True)
class FlowRow:
    """The columns of a flow that a callback or an answer needs."""

    id: str
    browser_hash: str
    provider: str
    intent: str
    user_id: str | None
    session_id: str | None
    identity_id: str | None
    return_to: str
    secrets: str = field(repr=False)
    expires_at: datetime
    parked_as: str | None


_COLUMNS = [Flow.__table__.c[each.name] for each in fields(FlowRow)]
_ADD = CompiledStatement(insert(Flow))
_OF_STATE = CompiledSelect(
    select(*_COLUMNS).where(Flow.state_hash == bindparam("state_hash")), FlowRow
)
_OF_ID = CompiledSelect(select(*_COLUMNS).where(Flow.id == bindparam("flow_id")), FlowRow)
_DELETE = CompiledStatement(delete(Flow).where(Flow.id == bindparam("flow_id")))
_OPEN_OF_NETWORK = CompiledSelect(
    select(func.count()).where(
        Flow.address == bindparam("network"), Flow.expires_at > bindparam("now")
    ),
    int,
)


def find(flow_id: str) -> FlowRow | None:
    return _OF_ID.row(flow_id=flow_id)


def find_by_state(state_hash: str) -> FlowRow | None:
    return _OF_STATE.row(state_hash=state_hash)


def count_open(network: str) -> int:
    """Return how many flows of a network have neither ended nor expired."""
    return _OPEN_OF_NETWORK.row(network=network, now=now()) or 0


def insert_flow(**columns: Any) -> None:
    _ADD.run(**columns)


def delete_flow(flow_id: str, *, otherwise: str) -> None:
    """Delete a flow. Raises StateMismatch with ``otherwise`` as its detail if the row is already
    gone."""
    if _DELETE.run(flow_id=flow_id) != 1:
        raise StateMismatch(otherwise)


def seal(held: object, flow_id: str) -> str:
    """Seal the secrets of a flow; they open in this row only."""
    return tokens.sealer().seal(held, bound_to(flow_id))


def open_secrets(row: FlowRow) -> Any:
    """Return what ``seal`` sealed. Raises Expired if no key opens it any more."""
    try:
        return tokens.sealer().open(row.secrets, bound_to(row.id))
    except TokenUnreadable as error:
        # The key was removed while this flow was open.
        raise Expired(str(error)) from error


def bound_to(flow_id: str) -> str:
    """Return the binding of a flow's sealed secrets."""
    return f"flow:{flow_id}"
