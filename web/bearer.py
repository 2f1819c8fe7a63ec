"""Authentication of a request: a bearer token in the API, otherwise the session cookie;
never both."""

import re

from flask import Request, g, request
from flask_login import current_user

import accounts
from accounts import sessions
from accounts.rules import Refused
from errors import IdTokenRefused, InvalidToken, Problem, UnknownAccount
from models import User
from providers.base import Assertion
from web.context import site
from web.guards import current_session, has_fresh_auth, load_session, login_manager

BEARER_PATHS = "/api/v1/"
# RFC 6750 2.1, with a maximum length.
BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]{1,16384}=*)", re.IGNORECASE)


@login_manager.request_loader
def load_user(http_request: Request) -> User | None:
    """Load the current user for Flask-Login."""
    return _load_bearer() if is_bearer() else load_session(http_request)


def is_bearer() -> bool:
    """Whether this request has a bearer token in its header.

    Then no cookie counts, whether or not the token is valid, and no CSRF token is needed: no page
    of another site can make a browser send this header.
    """
    scheme = request.headers.get("Authorization", "").partition(" ")[0]
    return request.path.startswith(BEARER_PATHS) and scheme.lower() == "bearer"


def check_bearer() -> None:
    """Before each request that accepts bearer tokens: raise the Problem of an invalid one."""
    if is_bearer() and not current_user.is_authenticated:
        raise g.bearer_problem


def _load_bearer() -> User | None:
    """Load the token's owner. Never raises: the code that first reads the current user may be
    unable to respond with a problem."""
    g.login_session = g.bearer_problem = None
    try:
        assertion = _bearer_assertion()
        user = accounts.owner_of(assertion)
        if user is None or not user.is_active:
            raise UnknownAccount("the token opens no account")
        decision = accounts.sign_in_preview(assertion, site().policy)
        if isinstance(decision, Refused):
            raise decision.error
    except Problem as problem:
        g.bearer_problem = problem
        return None
    g.bearer_auth_time = sessions.moment(assertion.auth_time or 0)
    return user


def _bearer_assertion() -> Assertion:
    """Return the token's assertion. Raises InvalidToken or ProviderError."""
    header = BEARER.fullmatch(request.headers.get("Authorization", ""))
    project = site().firebase
    if header is None or project is None:
        raise InvalidToken("the Authorization header holds no token that is taken here")
    try:
        return project.verify(header[1])
    except IdTokenRefused as error:
        raise InvalidToken(error.detail) from error


def is_recent() -> bool:
    """Whether the person authenticated in the last 15 minutes, by token or session."""
    if is_bearer():
        return current_user.is_authenticated and sessions.is_recent_moment(g.bearer_auth_time)
    session = current_session()
    return session is not None and has_fresh_auth(session)
