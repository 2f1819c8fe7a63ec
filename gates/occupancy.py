"""How many sessions are open behind each gate."""

from sqlalchemy import func, select

from accounts import sessions
from gates.models import GateHostRow, GateSessionRow
from models import Session
from storage import db, now


def count_sessions() -> dict[str, int]:
    """Return how many sessions that are alive came in at each gate, by its id; none: no entry."""
    number = func.count(GateSessionRow.session_id.distinct())
    query = (
        select(GateHostRow.gate_id, number)
        .join(GateSessionRow, GateSessionRow.origin == GateHostRow.origin)
        .join(Session, Session.id == GateSessionRow.session_id)
        .join(Session.user)
        .where(sessions.LETS_IN)
        .group_by(GateHostRow.gate_id)
    )
    rows = db.session.execute(query, sessions.alive_at(now())).all()
    return {gate_id: int(count) for gate_id, count in rows}
