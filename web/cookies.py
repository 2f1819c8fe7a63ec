"""The cookies of a response, and the cookies of a browser's flows."""

import itertools
from collections.abc import Collection

from flask import g, request
from flask import session as browser_cookie
from werkzeug.wrappers import Response

from accounts import flows
from storage import is_id
from web.context import site

FLOW_COOKIE = "flow_"
# More than a browser that uses our flows can have; each makes a query longer.
MAX_FLOW_COOKIES = 32


def cookie_name(name: str) -> str:
    """Return the name, over https with the prefix that makes browsers bind a cookie to this
    host."""
    return f"__Host-{name}" if site().settings.is_https else name


def set_cookie(name: str, value: str, max_age: int) -> None:
    """Set a cookie in the response of this request; the last call per name counts."""
    g.setdefault("cookies", {})[name] = (value, max_age)


def forget_cookies() -> None:
    """Leave the browser's cookies unchanged: the transaction behind the new ones was rolled
    back."""
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
    """Return this browser's flow secrets by flow id; malformed cookies are ignored."""
    prefix = cookie_name(FLOW_COOKIE)
    found = (
        (name.removeprefix(prefix), value)
        for name, value in request.cookies.items()
        if name.startswith(prefix) and is_id(name.removeprefix(prefix))
    )
    return dict(itertools.islice(found, MAX_FLOW_COOKIES))


def is_in_flow() -> bool:
    """Whether this browser has a flow's cookie. Requests that another site causes have none and
    their refusals are counted separately; otherwise any site could lock its visitors' address out.
    """
    return bool(flow_cookies())


def keep_flow(flow_id: str, secret: str) -> None:
    set_cookie(cookie_name(FLOW_COOKIE + flow_id), secret, flows.LIFETIME_SECONDS)


def drop_flows(flow_ids: Collection[str]) -> None:
    """End flows of this browser, in the database and in its cookies."""
    cookies = flow_cookies()
    flows.drop({flow_id: cookies[flow_id] for flow_id in flow_ids})
    for flow_id in flow_ids:
        set_cookie(cookie_name(FLOW_COOKIE + flow_id), "", 0)
