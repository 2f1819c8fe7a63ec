"""Bearer tokens: the API's requests may identify their sender by an ID token in a header."""

import re
from datetime import datetime

from flask import request

import accounts
from access.refusals import AccountPending
from accounts import sessions
from accounts.decisions import NeedsKeeping, Refused
from errors import IdTokenRefused, InvalidToken, Problem, UnknownAccount
from models import User
from providers.base import Assertion
from storage import db
from web.context import site
from web.request_state import Login

BEARER_PATHS = "/api/v1/"
# RFC 6750 2.1, with a maximum length.
BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]{1,16384}=*)", re.IGNORECASE)


def is_bearer() -> bool:
    """Tell whether this request identifies its sender by a bearer token.

    Then no cookie counts, whether or not the token is valid, and no CSRF token is needed: no page
    of another site can make a browser send this header.
    """
    scheme = request.headers.get("Authorization", "").partition(" ")[0]
    return request.path.startswith(BEARER_PATHS) and scheme.lower() == "bearer"


def load_bearer_login() -> Login:
    """Return the login of this request's token. Never raises: the first to ask for the current
    user may not be able to answer with a problem, so the login keeps it."""
    try:
        if owner := _owner_of_our_token():
            user_id, authenticated_at = owner
            user = db.session.get(User, user_id)
            return Login(user=user, bearer_auth_time=authenticated_at)
        assertion = _verify_header()
        user = _find_user(assertion)
    except Problem as problem:
        return Login(bearer_problem=problem)
    return Login(user=user, bearer_auth_time=sessions.moment(assertion.auth_time or 0))


def _find_user(assertion: Assertion) -> User:
    """Raises UnknownAccount, or the reason of a refusal."""
    user = accounts.owner_of(assertion)
    if user is None or not user.is_active:
        raise UnknownAccount("the token opens no account")
    if user.is_pending:
        raise AccountPending
    decision = accounts.sign_in_preview(assertion, site().policy)
    if isinstance(decision, Refused):
        raise decision.error
    if isinstance(decision, NeedsKeeping):
        raise UnknownAccount("the account is about to be deleted")
    return user


def _owner_of_our_token() -> tuple[str, datetime | None] | None:
    """Return the person of an access token that we issued; it is no JWT, unlike all others."""
    header = BEARER.fullmatch(request.headers.get("Authorization", ""))
    if header is None or "." in header[1]:
        return None
    return site().owner_of_token(header[1])


def _verify_header() -> Assertion:
    """Raises InvalidToken or ProviderError."""
    header = BEARER.fullmatch(request.headers.get("Authorization", ""))
    project = site().firebase
    if header is None or project is None:
        raise InvalidToken("the Authorization header holds no token that is accepted here")
    try:
        return project.verify(header[1])
    except IdTokenRefused as error:
        raise InvalidToken(error.detail) from error
