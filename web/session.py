"""Sign-in and sign-out of this browser: its session begins, gets a new token, and ends."""

import secrets

from flask import g
from flask import session as browser_cookie
from flask.globals import request_ctx

import accounts
from accounts import sessions
from accounts.begun import Begun, Opener
from models import Session
from web.account_choice import choose_next_time
from web.authentication import current_session, forget_login
from web.cookies import cookie_name, drop_flows, flow_cookies, set_cookie
from web.csrf import FORM_SECRET
from web.request_info import caller
from web.request_state import Login, request_state
from web.session_cookie import (
    BEGUN_HERE,
    drop_session_token,
    find_waiting_session,
    give_session_token,
)

LAST_USED_DAYS = 90


def start_session(
    identity: Opener, auth_time: float | None = None, upstream_sid: str = ""
) -> tuple[Begun, str]:
    """Make a session for an identity's owner, in place of the one that this browser has, and its
    token. Call within an atomic verb, and ``begin_session`` after it.

    ``auth_time``: when the provider says that the person signed in there, as Unix time.
    ``upstream_sid``: its name for its session.
    Flows that the old session's person began end with it (accounts/flows.py).
    """
    old = current_session() or find_waiting_session()
    replaces = old.id if old else None
    return sessions.start(
        identity, caller(), replaces=replaces, auth_time=auth_time, upstream_sid=upstream_sid
    )


def begin_session(session: Begun, token: str, *, in_app: bool = False) -> None:
    """Sign this browser or app in, with a session that is committed."""
    request_state().login = Login(session)
    cookie = request_ctx.session
    cookie.clear()  # it belonged to whoever used this browser before
    # A CSRF token from before the sign-in must not work after it. The secret is made now and not
    # by the first form, so that a program's first request finds the cookie complete.
    g.pop(FORM_SECRET, None)
    cookie[FORM_SECRET] = secrets.token_hex(20)
    bind_session(session)
    give_session_token(token, to_app=in_app)
    set_cookie(cookie_name("last_idp"), session.provider, LAST_USED_DAYS * 86400)


def bind_session(session: Session | Begun) -> None:
    """Note in Flask's signed cookie that this very browser's person signed in."""
    cookie = request_ctx.session
    cookie[BEGUN_HERE] = session.id
    cookie.permanent = True


def is_bound(session: Session | Begun) -> bool:
    """Tell whether the person of this session signed in in this very browser.

    Under a plain name a session's cookie can be planted by a neighbouring host; over https Flask's
    own cannot. So nobody connects their identity to an account that
    somebody else signed their browser in to.
    """
    return bool(browser_cookie.get(BEGUN_HERE) == session.id)


def end_session() -> None:
    """Sign this browser out; its open flows end too."""
    session = current_session() or find_waiting_session()
    if session:
        accounts.sign_out(session.user_id, session.id, caller())
    _forget_session()
    choose_next_time()


def forget_person() -> None:
    """Have this browser forget somebody whose account is deleted, with all its sessions."""
    _forget_session()
    set_cookie(cookie_name("last_idp"), "", 0)


def _forget_session() -> None:
    drop_flows(flow_cookies())
    forget_login()
    browser_cookie.clear()
    drop_session_token()
