"""The cookies of a response, and the cookies of a browser's flows."""

import itertools
from collections.abc import Collection

from flask import request
from flask import session as browser_cookie
from werkzeug.wrappers import Response

from accounts import flows
from storage import is_id
from web.context import site
from web.request_state import request_state

FLOW_COOKIE = "flow_"
# More than a browser can have; each makes a query longer.
MAX_FLOW_COOKIES = 32


def cookie_name(name: str) -> str:
    """Return the name, over https with the prefix that makes browsers bind a cookie to this
    host."""
    return f"__Host-{name}" if site().settings.is_https else name


def set_cookie(name: str, value: str, max_age: int) -> None:
    """Have the response of this request set a cookie; the last call for a name counts."""
    request_state().cookies[name] = (value, max_age)


def forget_cookies() -> None:
    """Leave the browser's cookies as they are: what they would refer to was not committed."""
    request_state().cookies.clear()
    browser_cookie.modified = False


def write_cookies(response: Response) -> Response:
    secure = site().settings.is_https
    for name, (value, max_age) in request_state().cookies.items():
        response.set_cookie(
            name, value, max_age, path="/", secure=secure, httponly=True, samesite="Lax"
        )
    return response


def flow_cookies() -> dict[str, str]:
    """Return this browser's secrets for its flows, by flow id. Where several came for one flow,
    some are planted, and only the flow's own counts."""
    prefix = cookie_name(FLOW_COOKIE)
    names = (
        name
        for name in request.cookies
        if name.startswith(prefix) and is_id(name.removeprefix(prefix))
    )
    found = {}
    for name in itertools.islice(names, MAX_FLOW_COOKIES):
        flow_id, values = name.removeprefix(prefix), request.cookies.getlist(name)
        found[flow_id] = values[0] if len(values) == 1 else flows.own_secret(flow_id, values)
    return found


def is_in_flow() -> bool:
    """Tell whether this browser claims a flow of its own. A request that another site caused has
    none, and its refusals are counted apart, or any site could lock out its visitors' address."""
    return bool(flow_cookies())


def keep_flow(flow_id: str, secret: str) -> None:
    set_cookie(cookie_name(FLOW_COOKIE + flow_id), secret, flows.LIFETIME_SECONDS)


def drop_flows(flow_ids: Collection[str]) -> None:
    """End flows of this browser, in the database and in its cookies."""
    cookies = flow_cookies()
    flows.drop({flow_id: cookies[flow_id] for flow_id in flow_ids})
    for flow_id in flow_ids:
        set_cookie(cookie_name(FLOW_COOKIE + flow_id), "", 0)
