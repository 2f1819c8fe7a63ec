"""The sid of a session: what applications know one sign-in by."""

from sqlalchemy import select, update

from accounts.begun import Begun
from models import Session
from storage import atomic, db, new_id


def sid_of(session: Session | Begun) -> str:
    """Return what applications know a session by; one of the release before is given its sid."""
    return session.sid or _give_sid(session.id)


@atomic
def _give_sid(session_id: str) -> str:
    unnamed = update(Session).where(Session.id == session_id, Session.sid.is_(None))
    db.session.execute(unnamed.values(sid=new_id()))
    return db.session.scalar(select(Session.sid).where(Session.id == session_id)) or ""
