"""The cookies of parked requests: which browser each belongs to."""

import itertools

from flask import request

from issuer.parked import LIFETIME_SECONDS
from storage import is_id
from web.cookies import cookie_name, set_cookie

PREFIX = "request_"
# A browser keeps the latest few; more would make its headers long.
MAX_OPEN_PER_BROWSER = 8


def keep_request(request_id: str, secret: str) -> None:
    """Have the browser keep the secret of a request, and forget surplus ones."""
    prefix = cookie_name(PREFIX)
    names = (name for name in request.cookies if name.startswith(prefix))
    surplus = itertools.islice(names, MAX_OPEN_PER_BROWSER - 1, None)
    for name in surplus:
        if is_id(name.removeprefix(prefix)):
            set_cookie(name, "", 0)
    set_cookie(prefix + request_id, secret, LIFETIME_SECONDS)


def request_secret(request_id: str) -> str | None:
    """Return this browser's secret for a request."""
    return request.cookies.get(cookie_name(PREFIX) + request_id) if is_id(request_id) else None


def used_request(request_id: str) -> None:
    set_cookie(cookie_name(PREFIX) + request_id, "", 0)
