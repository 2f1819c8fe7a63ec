"""The session cookie: it holds a random token whose row in the database is the session.

Flask's own signed cookie (``quickstep``) is separate. It holds the CSRF secret, messages for
the next page, and which session this browser began: nothing that signs anybody in.
"""

import time

import structlog
from flask import current_app, request
from sqlalchemy.exc import OperationalError

from accounts import ended_sessions, sessions
from accounts.ended_sessions import EndReason
from models import Session
from web.context import site
from web.cookies import set_cookie
from web.request_info import caller
from web.request_state import Login

log = structlog.get_logger()

NOTE_USE_AGAIN_SECONDS = 30
# The extension that holds when writing the time of last use may be tried again.
NOTE_USE_AGAIN_AT = "note_use_again_at"


def load_session_login() -> Login:
    """Return the login of this request's session cookie; nobody's where there is none."""
    session = sessions.find(read_session_token())
    if session is None:
        return Login()
    if sessions.needs_touch(session):
        note_use(session)
    return Login(session, session.user)


def read_session_token() -> str | None:
    """Return the session cookie. If there are two, one may be planted, so neither counts."""
    name = site().settings.session_cookie_name
    tokens = request.cookies.getlist(name)
    if len(tokens) > 1:
        log.warning("session_cookie_ambiguous", name=name, count=len(tokens))
        return None
    return tokens[0] if tokens else None


def read_end_reason() -> EndReason | None:
    """Return why the session of this request's cookie was ended from elsewhere, if it was."""
    token = read_session_token()
    return ended_sessions.reason_of(sessions.hash_token(token)) if token else None


def keep_session_token(token: str) -> None:
    """Have the browser keep a session's token, once its row is committed."""
    set_cookie(site().settings.session_cookie_name, token, sessions.LIFETIME_DAYS * 86400)


def drop_session_token() -> None:
    set_cookie(site().settings.session_cookie_name, "", 0)


def note_use(session: Session) -> None:
    """Write when a session was last used. Where that fails, reading goes on, and nobody waits
    for it again for a while."""
    extensions = current_app.extensions
    if time.monotonic() < extensions.get(NOTE_USE_AGAIN_AT, 0.0):
        return
    try:
        sessions.touch(session, caller())
    except OperationalError as error:
        extensions[NOTE_USE_AGAIN_AT] = time.monotonic() + NOTE_USE_AGAIN_SECONDS
        log.warning("session_use_not_noted", cause=str(error.orig).partition("\n")[0])
