"""Who is asking, and what may pass: the session cookie, step-up.

Two kinds of cookie are ours. The session cookie (SESSION_COOKIE_NAME) is a random token whose
row in the database is the session. Flask's own signed cookie (``quickstep``) holds the CSRF
secret, the messages for the next page and which session this browser began: nothing that signs
anybody in.
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
# In Flask's signed cookie: the session that this browser itself began.
BEGUN_HERE = "session"
# … and, in Flask-WTF's place for it, what its CSRF tokens are made of.
CSRF_SECRET = "csrf_token"  # noqa: S105 (its name)


class _LoginManager(LoginManager):
    """Flask-Login without what it keeps in cookies: our session's row says who is signed in."""

    def _load_user(self) -> None:
        begun = g.get("begun_for")
        user = db.session.get(User, begun) if begun else self._load_user_from_request(request)
        self._update_request_context_with_user(user)

    def _update_remember_cookie(self, response: Response) -> Response:
        return response


csrf = CSRFProtect()
login_manager = _LoginManager()


def caller() -> Caller:
    """Who this request comes from, for sessions, activity and limits."""
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
    """Take this request for anybody's from here on: who it is could not be read, or would have to
    be read to show the page that says so."""
    g._login_user = AnonymousUserMixin()  # noqa: SLF001 (where Flask-Login keeps it)


def load_session(http_request: Request) -> User | None:
    """The person whose session the cookie speaks of."""
    session = sessions.find(_session_token(http_request))
    g.login_session = session
    if session is None:
        return None
    if sessions.needs_touch(session):
        note_use(session)
    return session.user


def note_use(session: Session) -> None:
    """That a session is in use; where that cannot be written, who only reads is answered all the
    same, and for a while nobody waits for it again."""
    states = current_app.extensions
    if time.monotonic() < states.get("note_use_again_at", 0.0):
        return
    try:
        sessions.touch(session, caller())
    except OperationalError as error:
        states["note_use_again_at"] = time.monotonic() + NOTE_USE_AGAIN_SECONDS
        log.warning("session_use_not_noted", cause=str(error.orig).partition("\n")[0])


def _session_token(http_request: Request) -> str | None:
    """The session cookie. When there are two, one of them may be planted, and which is not to be
    told: then there is none."""
    name = site().settings.session_cookie_name
    tokens = http_request.cookies.getlist(name)
    if len(tokens) > 1:
        log.warning("session_cookie_ambiguous", name=name, count=len(tokens))
        return None
    return tokens[0] if tokens else None


@login_manager.unauthorized_handler
def send_to_sign_in() -> Response:
    """Who is not signed in is, and then comes back; to a page, not to an act."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else ""
    return redirect(url_for("login.choose", next=local_path(wanted) or None))


def current_session() -> Session | None:
    """The session of this request's cookie; None for a bearer token."""
    return g.login_session if current_user.is_authenticated else None


def this_session() -> Session:
    """The session, in a view that only signed-in people reach."""
    session = current_session()
    assert session is not None
    return session


def start_session(identity: Opener, auth_time: float | None = None) -> tuple[Begun, str]:
    """A session for an identity's owner, in place of the one that this browser has, and its token.
    Call within an atomic verb, and ``begin_session`` after it.

    ``proved_at``: when the provider says that they proved themselves, in seconds since 1970.
    Flows that the old session's person began are dead with it (flows.py).
    """
    old = current_session()
    replaces = old.id if old else None
    return sessions.start(identity, caller(), replaces=replaces, auth_time=auth_time)


def begin_session(session: Begun, token: str) -> None:
    """Sign this browser in, with a session that is there for good."""
    # Who asks is somebody else from here on. Flask-Login looks who, should anybody want to know.
    g.begun_for = session.user_id
    g.pop("_login_user", None)
    cookie = request_ctx.session
    cookie.clear()  # what was for whoever sat here before
    # None from before the sign-in works after it; made now, as Flask-WTF would later, so that what
    # asks by cookie who this is need not.
    g.pop(CSRF_SECRET, None)
    cookie[CSRF_SECRET] = secrets.token_hex(20)
    _bind(session)
    g.login_session = session
    keep_session(token)
    set_cookie(cookie_name("last_idp"), session.provider, LAST_USED_DAYS * 86400)


def renew_session(*, reauthenticated: bool = False) -> None:
    """Give this session a new token; its rights have just grown."""
    keep_session(sessions.renew(this_session().id, reauthenticated=reauthenticated))
    if reauthenticated:
        _bind(this_session())


def _bind(session: Session | Begun) -> None:
    """Note in Flask's signed cookie, for as long as a session can last, that this browser is
    the one whose person proved themselves."""
    cookie = request_ctx.session
    cookie[BEGUN_HERE] = session.id
    cookie.permanent = True


def only_bound() -> Response | None:
    """Before each request of a blueprint: forms act only for a session of this very browser;
    what proves it one may be begun."""
    session = current_session()
    is_reauthentication = request.endpoint == "account.begin_reauth"
    if request.method != "POST" or session is None or is_reauthentication or is_bound(session):
        return None
    return ask_to_reauthenticate(url_for("account.show"))


def is_bound(session: Session) -> bool:
    """Whether this session was begun, or proved again, in this very browser.

    Under a plain name (SESSION_COOKIE_NAME) a session's cookie can be planted by a neighbouring
    host; over https Flask's own cannot. So nobody connects their identity to an account that
    somebody else signed their browser in to.
    """
    return bool(browser_cookie.get(BEGUN_HERE) == session.id)


def has_fresh_auth(session: Session) -> bool:
    """Whether it may do sensitive acts: its person proved themselves here, and just now."""
    return is_bound(session) and sessions.is_recent(session)


def end_session() -> None:
    """Sign this browser out; half-done flows end with it."""
    session = current_session()
    if session:
        sessions.end(session.user_id, session.id)
    _forget_session()


def forget_person() -> None:
    """Have this browser forget somebody whose account, with all its sessions, is gone."""
    _forget_session()
    set_cookie(cookie_name("last_idp"), "", 0)


def _forget_session() -> None:
    drop_flows(flow_cookies())
    logout_user()
    browser_cookie.clear()
    set_cookie(site().settings.session_cookie_name, "", 0)


def keep_session(token: str) -> None:
    """Have the browser keep a session's token, once it is there for good."""
    set_cookie(site().settings.session_cookie_name, token, sessions.LIFETIME_DAYS * 86400)


def needs_recent(view: Callable[P, R]) -> Callable[P, R | Response]:
    """For sensitive acts: who signed in elsewhere or over 15 minutes ago proves themselves first.

    They come back to the page that asks for the act, never to the act itself.
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
    """Have the person prove themselves again, and then go to a page."""
    return redirect(url_for("account.reauth", next=return_to), 303)
