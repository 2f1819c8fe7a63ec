"""Guards: the session cookie, and step-up authentication.

We have two kinds of cookie. The session cookie (SESSION_COOKIE_NAME) is a random token whose row in
the database is the session. Flask's signed cookie (``quickstep``) holds the CSRF secret, the flash
messages and the id of the session that this browser began: nothing that signs anybody in.
"""

import functools
import secrets
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import structlog
from flask import Request, current_app, g, redirect, request, url_for
from flask import session as browser_cookie
from flask.globals import request_ctx
from flask_login import AnonymousUserMixin, LoginManager, current_user, logout_user
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.exc import OperationalError
from werkzeug.wrappers import Response

from accounts import sessions
from accounts.activity import Caller
from accounts.sessions import Begun, Opener
from models import Session, User
from storage import db
from web.context import site
from web.cookies import cookie_name, drop_flows, flow_cookies, set_cookie
from web.request_info import address_of, user_agent_of
from web.return_to import local_path

log = structlog.get_logger()
P = ParamSpec("P")
R = TypeVar("R")

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
LAST_USED_DAYS = 90
NOTE_USE_AGAIN_SECONDS = 30
# In Flask's signed cookie: the session that this browser began.
BEGUN_HERE = "session"
# … and the CSRF secret, in the key of Flask-WTF.
CSRF_SECRET = "csrf_token"  # noqa: S105 (its name)


class _LoginManager(LoginManager):
    """Flask-Login without its cookies: our session row says who is signed in."""

    def _load_user(self) -> None:
        begun = g.get("begun_for")
        user = db.session.get(User, begun) if begun else self._load_user_from_request(request)
        self._update_request_context_with_user(user)

    def _update_remember_cookie(self, response: Response) -> Response:
        return response


csrf = CSRFProtect()
login_manager = _LoginManager()


def caller() -> Caller:
    """Return the sender of this request, for sessions, activity and limits."""
    known: Caller | None = g.get("caller")
    if known is None:
        known = g.caller = Caller(
            address=address_of(request),
            user_agent=user_agent_of(request),
            reference=g.get("reference", ""),
        )
    return known


def current_user_id() -> str | None:
    return str(current_user.id) if current_user.is_authenticated else None


def count_action() -> None:
    """Before each request of a blueprint: limit how often one account may be changed."""
    if request.method not in SAFE_METHODS and (user_id := current_user_id()):
        site().limits.count_action(user_id)


# The session.


def forget_who_asks() -> None:
    """Treat this request as anonymous from here on: the user could not be read, or would have to be
    read to show the page that says so."""
    g._login_user = AnonymousUserMixin()  # noqa: SLF001 (where Flask-Login keeps it)


def load_session(http_request: Request) -> User | None:
    """Load the person of the session cookie."""
    session = sessions.find(_session_token(http_request))
    g.login_session = session
    if session is None:
        return None
    if sessions.needs_touch(session):
        note_use(session)
    return session.user


def note_use(session: Session) -> None:
    """Note that a session is in use. If that cannot be written, reading requests are answered
    anyway, and for a while no request waits for it again."""
    states = current_app.extensions
    if time.monotonic() < states.get("note_use_again_at", 0.0):
        return
    try:
        sessions.touch(session, caller())
    except OperationalError as error:
        states["note_use_again_at"] = time.monotonic() + NOTE_USE_AGAIN_SECONDS
        log.warning("session_use_not_noted", cause=str(error.orig).partition("\n")[0])


def _session_token(http_request: Request) -> str | None:
    """Return the session cookie. With two of them, one may be planted, and there is no telling
    which: then neither counts."""
    name = site().settings.session_cookie_name
    tokens = http_request.cookies.getlist(name)
    if len(tokens) > 1:
        log.warning("session_cookie_ambiguous", name=name, count=len(tokens))
        return None
    return tokens[0] if tokens else None


@login_manager.unauthorized_handler
def send_to_sign_in() -> Response:
    """Redirect anonymous visitors to sign-in. A GET returns to its page; a POST is not replayed."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else ""
    return redirect(url_for("login.choose", next=local_path(wanted) or None))


def current_session() -> Session | None:
    """Return the session of this request's cookie; None for a bearer token."""
    return g.login_session if current_user.is_authenticated else None


def this_session() -> Session:
    """Return the session, in a view that only signed-in people reach."""
    session = current_session()
    assert session is not None
    return session


def start_session(identity: Opener, auth_time: float | None = None) -> tuple[Begun, str]:
    """Start a session for an identity's owner, replacing this browser's session; return its token.
    Call within an atomic verb, and call ``begin_session`` after it.

    ``proved_at``: auth_time as the provider reports it, as a Unix time. Open flows of the old
    session's person become invalid (accounts/flows.py).
    """
    old = current_session()
    replaces = old.id if old else None
    return sessions.start(identity, caller(), replaces=replaces, auth_time=auth_time)


def begin_session(session: Begun, token: str) -> None:
    """Sign this browser in, with a session that is committed."""
    # The current user changes here. Flask-Login reads it again if anybody asks.
    g.begun_for = session.user_id
    g.pop("_login_user", None)
    cookie = request_ctx.session
    cookie.clear()  # it belonged to the previous user
    # No CSRF token from before the sign-in is valid after it. The secret is created now, as
    # Flask-WTF would later, so that the session check need not set a cookie.
    g.pop(CSRF_SECRET, None)
    cookie[CSRF_SECRET] = secrets.token_hex(20)
    _bind(session)
    g.login_session = session
    keep_session(token)
    set_cookie(cookie_name("last_idp"), session.provider, LAST_USED_DAYS * 86400)


def renew_session(*, reauthenticated: bool = False) -> None:
    """Give this session a new token, because its rights have just grown."""
    keep_session(sessions.renew(this_session().id, reauthenticated=reauthenticated))
    if reauthenticated:
        _bind(this_session())


def _bind(session: Session | Begun) -> None:
    """Record in Flask's signed cookie, for a session's maximum lifetime, that this browser
    authenticated."""
    cookie = request_ctx.session
    cookie[BEGUN_HERE] = session.id
    cookie.permanent = True


def only_bound() -> Response | None:
    """Before each request of a blueprint: forms act only for a session that is bound to this
    browser; a reauthentication may be begun by any."""
    session = current_session()
    is_reauthentication = request.endpoint == "account.begin_reauth"
    if request.method != "POST" or session is None or is_reauthentication or is_bound(session):
        return None
    return ask_to_reauthenticate(url_for("account.show"))


def is_bound(session: Session) -> bool:
    """Whether this session was begun or reauthenticated in this browser.

    A neighbouring host can plant a session cookie with a plain name (SESSION_COOKIE_NAME), but over
    https not Flask's cookie. So nobody links an identity to an account that an attacker signed
    their browser in to.
    """
    return bool(browser_cookie.get(BEGUN_HERE) == session.id)


def has_fresh_auth(session: Session) -> bool:
    """Whether it may do sensitive acts: the person authenticated recently, in this browser."""
    return is_bound(session) and sessions.is_recent(session)


def end_session() -> None:
    """Sign this browser out; its open flows end too."""
    session = current_session()
    if session:
        sessions.end(session.user_id, session.id)
    _forget_session()


def forget_person() -> None:
    """Clear the cookies of a person whose account and sessions are deleted."""
    _forget_session()
    set_cookie(cookie_name("last_idp"), "", 0)


def _forget_session() -> None:
    drop_flows(flow_cookies())
    logout_user()
    browser_cookie.clear()
    set_cookie(site().settings.session_cookie_name, "", 0)


def keep_session(token: str) -> None:
    """Set the session cookie, once the session is committed."""
    set_cookie(site().settings.session_cookie_name, token, sessions.LIFETIME_DAYS * 86400)


def needs_recent(view: Callable[P, R]) -> Callable[P, R | Response]:
    """Guard a sensitive act: a sign-in elsewhere or over 15 minutes ago requires a
    reauthentication.

    It returns to the page that offers the act, never to the act itself.
    """

    @functools.wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        if has_fresh_auth(this_session()):
            return view(*args, **kwargs)
        page = request.full_path if request.method == "GET" else request.path
        query = request.form.get("flow")
        if request.method == "POST" and query:
            page = f"{page}?flow={query}"
        return ask_to_reauthenticate(local_path(page.rstrip("?")))

    return guarded


def ask_to_reauthenticate(return_to: str) -> Response:
    """Have the person reauthenticate, and then go to a page."""
    return redirect(url_for("account.reauth", next=return_to), 303)
