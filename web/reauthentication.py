"""Reauthentication: sensitive acts need a sign-in of the last 15 minutes in this very browser."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from accounts import sessions
from accounts.begun import Begun
from models import Session
from web.authentication import current_login, this_session
from web.paths import path_of
from web.return_to import local_path
from web.session import is_bound

P = ParamSpec("P")
R = TypeVar("R")


def has_fresh_auth(session: Session | Begun) -> bool:
    """Tell whether a session may do sensitive acts."""
    return is_bound(session) and sessions.is_recent(session)


def is_freshly_authenticated() -> bool:
    """Tell the same of the sender of this request, by session or bearer token."""
    login = current_login()
    if login.session is not None:
        return sessions.is_recent(login.session)
    auth_time = login.bearer_auth_time
    return auth_time is not None and sessions.is_recent_moment(auth_time)


def needs_fresh_auth(view: Callable[P, R]) -> Callable[P, R | Response]:
    """Decorate the view of a sensitive act: without a fresh sign-in it redirects to one.

    The person returns to the page that asks for the act, never to the act itself.
    """

    @functools.wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        if has_fresh_auth(this_session()):
            return view(*args, **kwargs)
        page = path_of(request) if request.method == "GET" else request.root_path + request.path
        flow_id = request.form.get("flow")
        if request.method == "POST" and flow_id:
            page = f"{page}?flow={flow_id}"
        return ask_to_reauthenticate(local_path(page.rstrip("?")))

    return guarded


def ask_to_reauthenticate(return_to: str) -> Response:
    """Redirect to the page that asks to sign in again, and from there to ``return_to``."""
    return redirect(reauth_url(return_to), 303)


def reauth_url(return_to: str, *, always: bool = False) -> str:
    """Return the page that asks to sign in again; ``always``: also who has just signed in."""
    return url_for("account.reauth", next=return_to, always=1 if always else None)
