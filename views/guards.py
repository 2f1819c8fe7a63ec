"""Who is asking, and what may pass: the session cookie, flow cookies, return paths, step-up.

Two kinds of cookie are ours. The session cookie (SESSION_COOKIE_NAME) is a random token whose
row in the database is the session. Flask's own signed cookie (``quickstep``) holds the CSRF
secret and the messages for the next page, nothing that signs anybody in.
"""

import functools
import ipaddress
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar, cast
from urllib.parse import unquote, urlsplit

from flask import Request, current_app, g, redirect, request, url_for
from flask import session as browser_cookie
from flask_login import LoginManager, current_user, login_user, logout_user
from flask_login.config import SESSION_KEYS
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response

import flows
import sessions
from activity import Caller
from config import Settings
from linking import Policy
from models import OAuth, Session, User
from providers import PROVIDERS, firebase
from providers.blueprint import LoginBlueprint
from providers.firebase import Firebase
from providers.native import IdTokens, NativeTokens
from views.limits import Limits

P = ParamSpec("P")
R = TypeVar("R")

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
RETURN_PATH_MAX_CHARACTERS = 512
LAST_USED_DAYS = 90
FLOW_COOKIE = "flow_"

csrf = CSRFProtect()
login_manager = LoginManager()
# Ties a session to address and browser, in Flask's cookie; our sessions are not there.
login_manager.session_protection = None


@dataclass(frozen=True)
class Site:
    """What one application was built from."""

    settings: Settings
    providers: dict[str, LoginBlueprint]
    policy: Policy
    limits: Limits
    # What apps bring: ID tokens of any kind, those of One Tap by provider, and Firebase's.
    id_tokens: IdTokens = field(default_factory=lambda: IdTokens([]))
    one_taps: dict[str, NativeTokens] = field(default_factory=dict)
    firebase: Firebase | None = None
    demo_url: str | None = None

    def can_use(self, identity: OAuth) -> bool:
        """Whether an identity signs its person in here today."""
        return self.policy.can_use(identity.provider, identity.issuer)

    def label(self, provider: str) -> str:
        """A provider's name as branded, also when it is switched off."""
        if provider in self.providers:
            return self.providers[provider].label
        known = PROVIDERS.get(provider)
        if known is None:
            return firebase.LABEL if provider == firebase.NAME else provider
        return known.label

    @property
    def trusts_anybody(self) -> bool:
        """Whether unsigned tokens are taken, those of Firebase's emulator."""
        return self.settings.firebase_auth_emulator_host is not None


def site() -> Site:
    return cast(Site, current_app.extensions["quickstep"])


def caller() -> Caller:
    """Who this request comes from, for sessions, activity and limits."""
    return Caller(
        address=address_of(request),
        user_agent=request.headers.get("User-Agent", "")[:256],
        reference=g.get("reference", ""),
    )


def address_of(http_request: Request) -> str:
    """The peer's address in its one canonical form; behind proxies, as TRUSTED_PROXIES says."""
    try:
        address = ipaddress.ip_address((http_request.remote_addr or "").partition("%")[0])
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def current_user_id() -> str | None:
    return str(current_user.id) if current_user.is_authenticated else None


def count_action() -> None:
    """Before each request of a blueprint: limit how often one account may be changed."""
    if request.method not in SAFE_METHODS and (user_id := current_user_id()):
        site().limits.count_action(user_id)


# Return paths.

_UNSAFE_IN_PATH = re.compile(r"[\x00-\x20\x7f-\x9f\\]")


def local_path(value: str | None, default: str = "") -> str:
    """``value`` when it is a path of this site, else ``default``.

    However often it is decoded it must stay one: no scheme or host, no ``//``, backslash,
    white space or control character.
    """
    if not value or len(value) > RETURN_PATH_MAX_CHARACTERS:
        return default
    form = value
    for _ in range(5):
        if not _is_local(form):
            return default
        decoded = unquote(form)
        if decoded == form:
            return value
        form = decoded
    return default


def _is_local(path: str) -> bool:
    if not path.startswith("/") or path.startswith("//") or _UNSAFE_IN_PATH.search(path):
        return False
    try:
        parts = urlsplit(path)
    except ValueError:
        return False
    return not parts.scheme and not parts.netloc and "//" not in parts.path


# Cookies.


def cookie_name(name: str) -> str:
    """With the prefix that makes browsers keep a cookie to this host, where there is https."""
    return f"__Host-{name}" if site().settings.is_https else name


def set_cookie(name: str, value: str, max_age: int) -> None:
    """Have the response of this request set a cookie; the last word on a name counts."""
    g.setdefault("cookies", {})[name] = (value, max_age)


def forget_cookies() -> None:
    """Leave the browser's cookies as they are: what they were to speak of was not committed."""
    g.pop("cookies", None)
    browser_cookie.modified = False


def write_cookies(response: Response) -> Response:
    secure = site().settings.is_https
    for name, (value, max_age) in g.get("cookies", {}).items():
        response.set_cookie(
            name, value, max_age, path="/", secure=secure, httponly=True, samesite="Lax"
        )
    return response


def flow_cookies() -> dict[str, str]:
    """This browser's secrets for its flows, by flow id."""
    prefix = cookie_name(FLOW_COOKIE)
    return {
        name.removeprefix(prefix): value
        for name, value in request.cookies.items()
        if name.startswith(prefix)
    }


def keep_flow(flow_id: str, secret: str) -> None:
    set_cookie(cookie_name(FLOW_COOKIE + flow_id), secret, flows.LIFETIME_SECONDS)


def drop_flows(flow_ids: Collection[str]) -> None:
    """End flows of this browser, in the database and in its cookies."""
    flows.drop(flow_ids)
    for flow_id in flow_ids:
        set_cookie(cookie_name(FLOW_COOKIE + flow_id), "", 0)


# The session.


def load_session(http_request: Request) -> User | None:
    """The person whose session the cookie speaks of."""
    session = sessions.find(http_request.cookies.get(site().settings.session_cookie_name))
    g.login_session = session
    if session is None:
        return None
    if sessions.needs_touch(session):
        sessions.touch(session, caller())
    return session.user


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


def begin_session(identity: OAuth, proved_at: float | None = None) -> None:
    """Sign this browser in with an identity, in a new session that replaces the one it had.

    ``proved_at``: when its person proved themselves, in seconds since 1970; None: just now.
    Flows that the old session's person began are dead with it (flows.py).
    """
    old = current_session()
    session, token = sessions.start(
        identity, caller(), replaces=old.id if old else None, proved_at=proved_at
    )
    browser_cookie.clear()  # a new CSRF secret: none from before the sign-in works after it
    g.login_session = session
    _set_session_cookie(token)
    set_cookie(cookie_name("last_idp"), identity.provider, LAST_USED_DAYS * 86400)
    login_user(identity.user)
    # Flask-Login's own record in Flask's cookie could not be revoked; the row can.
    for key in SESSION_KEYS:
        browser_cookie.pop(key, None)


def renew_session(*, proved_now: bool = False) -> None:
    """Give this session a new token; its rights have just grown."""
    _set_session_cookie(sessions.renew(this_session().id, proved_now=proved_now))


def end_session() -> None:
    """Sign this browser out; half-done flows end with it."""
    session = current_session()
    if session:
        sessions.end(session.user_id, session.id)
    drop_flows(flow_cookies())
    logout_user()
    browser_cookie.clear()
    set_cookie(site().settings.session_cookie_name, "", 0)


def _set_session_cookie(token: str) -> None:
    set_cookie(site().settings.session_cookie_name, token, sessions.LIFETIME_DAYS * 86400)


def needs_recent(view: Callable[P, R]) -> Callable[P, R | Response]:
    """For sensitive acts: who signed in over 15 minutes ago proves themselves again first.

    They come back to the page that asks for the act, never to the act itself.
    """

    @functools.wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        if sessions.is_recent(this_session()):
            return view(*args, **kwargs)
        page = request.full_path if request.method == "GET" else request.path
        query = request.form.get("flow")
        if request.method == "POST" and query:
            page = f"{page}?flow={query}"
        return redirect(url_for("account.reauth", next=local_path(page.rstrip("?"))), 303)

    return guarded
