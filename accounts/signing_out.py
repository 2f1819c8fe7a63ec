"""Verbs that end sessions, each with its line of activity."""

from accounts import activity, actors, sessions, users
from accounts.activity import Caller, EventKind
from accounts.ended_sessions import EndReason
from errors import NotFound
from models import Session
from storage import atomic


@atomic
def sign_out(user_id: str, session_id: str, caller: Caller) -> None:
    """End the session that acts. Nothing is left to do where account or session are gone."""
    if users.find_locked(user_id) is None:
        return
    if ended := sessions.end(user_id, session_id):
        activity.record(user_id, EventKind.SIGNED_OUT, caller, provider=ended.provider)


@atomic
def end_session(
    user_id: str,
    ended_id: str,
    caller: Caller,
    session_id: str | None = None,
    reason: EndReason = EndReason.ELSEWHERE,
) -> Session:
    """End another session of a person; return it.

    ``session_id``: the session that acts. ``reason``: what the other is told. Raises SignedOut, or
    NotFound if there is no such other session.
    """
    actors.lock(user_id, session_id)
    ended = sessions.end(user_id, ended_id, reason) if ended_id != session_id else None
    if ended is None:
        raise NotFound("no such other session of this account")
    activity.record(user_id, EventKind.SESSIONS_ENDED, caller, detail="1")
    return ended


@atomic
def end_other_sessions(user_id: str, caller: Caller, session_id: str | None = None) -> int:
    """End all sessions of a person but the one that acts, or all for the operator; return how many.

    Raises SignedOut.
    """
    actors.lock(user_id, session_id)
    if session_id is None:
        count = sessions.end_all(user_id)
    else:
        count = sessions.end_others(user_id, session_id)
    if count:
        activity.record(user_id, EventKind.SESSIONS_ENDED, caller, detail=str(count))
    return count
