"""The session cookie: it holds a random token whose row in the database is the session.

Over https, browsers get it as ``__Host-session``, which no other host can plant, and apps as
``session``, the name they look for. That name counts only in requests without the ``Sec-Fetch-``
headers, which browsers send and apps do not. SESSION_COOKIE_NAME is one name for both.

Flask's own signed cookie (``quickstep``) is separate. It holds the CSRF secret, messages for
the next page, and which session this browser began: nothing that signs anybody in.
"""

import time
from collections.abc import Iterable
from typing import NamedTuple
from wsgiref.types import WSGIEnvironment

import structlog
from flask import current_app, request
from flask import session as browser_cookie
from sqlalchemy.exc import OperationalError

from accounts import approval, ended_sessions, sessions
from accounts.ended_sessions import Ended
from config import Settings
from models import Session
from web.context import site
from web.cookies import set_cookie
from web.request_info import caller
from web.request_state import Login, request_state

log = structlog.get_logger()

NOTE_USE_AGAIN_SECONDS = 30
# The extension that holds when writing the time of last use may be tried again.
NOTE_USE_AGAIN_AT = "note_use_again_at"
# In Flask's signed cookie: the session that this browser itself began.
BEGUN_HERE = "session"


class SentTokens(NamedTuple):
    """The session cookie of a request. Several different values mean that some were planted."""

    name: str
    tokens: list[str]


def read_session_tokens(
    cookies: Iterable[tuple[str, str]], environ: WSGIEnvironment, settings: Settings
) -> SentTokens:
    """Return the values of the session cookie, and by which of its names they came."""
    ours, apps = settings.browser_session_cookie, settings.app_session_cookie
    found: dict[str, dict[str, None]] = {ours: {}, apps: {}}
    for name, value in cookies:
        if name in found:
            found[name][value] = None
    name = ours if found[ours] or not found[apps] or is_browser(environ) else apps
    return SentTokens(name, list(found[name]))


def is_browser(environ: WSGIEnvironment) -> bool:
    """Tell whether a browser sent this request, as far as it says (Fetch Metadata)."""
    return any(name.startswith("HTTP_SEC_FETCH_") for name in environ)


def load_session_login() -> Login:
    """Return the login of this request's session cookie; nobody's where there is none."""
    sent = _read_sent_tokens()
    request_state().session_cookie = sent.name
    session = _find_session(sent)
    if session is None:
        return Login()
    if sessions.needs_touch(session):
        note_use(session.id, address=caller().address)
    return Login(session, session.user)


def load_usual_login() -> Login | None:
    """Return the login of this request's session cookie, without its user; None where
    ``load_session_login`` must look."""
    sent = _read_sent_tokens()
    session = sessions.find_usual(sent.tokens[0]) if len(sent.tokens) == 1 else None
    if session is None:
        return None
    request_state().session_cookie = sent.name
    return Login(session)


def _read_sent_tokens() -> SentTokens:
    settings = site().settings
    return read_session_tokens(request.cookies.items(multi=True), request.environ, settings)


def _find_session(sent: SentTokens) -> Session | None:
    """Return the session of the cookie. If several came, only the one counts that this browser
    began, as its signed cookie says: the others may be planted."""
    if len(sent.tokens) < 2:
        return sessions.find(sent.tokens[0]) if sent.tokens else None
    begun_here = browser_cookie.get(BEGUN_HERE)
    session = sessions.find_begun(begun_here, sent.tokens) if begun_here else None
    if session is None:
        request_state().has_ambiguous_session = True
        log.warning("session_cookie_ambiguous", name=sent.name, count=len(sent.tokens))
    return session


def find_waiting_session() -> Session | None:
    """Return the session of this request's cookie whose person waits for approval; it signs nobody
    in."""
    tokens = _read_sent_tokens().tokens
    return approval.find_session(tokens[0]) if len(tokens) == 1 else None


def read_end() -> Ended | None:
    """Return why the session of this request's cookie was ended from elsewhere, if it was."""
    sent = _read_sent_tokens()
    if len(sent.tokens) != 1:
        return None
    return ended_sessions.find(sessions.hash_token(sent.tokens[0]))


def keep_session_token(token: str) -> None:
    """Have the client keep a new token of its session, once that is committed, by the name under
    which the old one came."""
    _keep(request_state().session_cookie or site().settings.browser_session_cookie, token)


def give_session_token(token: str, *, to_app: bool) -> None:
    """Have the client keep the token of a session that has just begun."""
    settings = site().settings
    names = {settings.app_session_cookie if to_app else settings.browser_session_cookie}
    if is_browser(request.environ):  # a page of ours that signs in as apps do
        names.add(settings.browser_session_cookie)
    drop_session_token(kept=names)
    for name in names:
        _keep(name, token)


def drop_session_token(kept: Iterable[str] = ()) -> None:
    """Remove the session cookie, under each name that the client sent."""
    settings = site().settings
    names = {settings.browser_session_cookie, settings.app_session_cookie} & set(request.cookies)
    for name in names.difference(kept):
        set_cookie(name, "", 0)


def _keep(name: str, token: str) -> None:
    set_cookie(name, token, sessions.LIFETIME_DAYS * 86400)


def note_use(session_id: str, **columns: str) -> None:
    """Write when a session was last used, and what else is known. Where that fails, reading goes
    on, and nobody waits for it again for a while."""
    extensions = current_app.extensions
    if time.monotonic() < extensions.get(NOTE_USE_AGAIN_AT, 0.0):
        return
    try:
        sessions.touch(session_id, **columns)
    except OperationalError as error:
        extensions[NOTE_USE_AGAIN_AT] = time.monotonic() + NOTE_USE_AGAIN_SECONDS
        log.warning("session_use_not_noted", cause=str(error.orig).partition("\n")[0])
