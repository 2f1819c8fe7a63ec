"""The check of PUBLIC_URL: a browser reaches this server there, and its cookies arrive."""

from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from accounts import flows
from accounts.models import Flow
from commands.check_issuer import check_issuer
from commands.console import site
from errors import ProviderError
from providers.http.responses import Answer
from providers.http.transport import Transport
from providers.protocols.connector import Connector
from storage import db, is_id, schema
from web.checks.findings import Finding, Level, server_finding
from web.cookies import FLOW_COOKIE, cookie_name

ALIVE = "/livez"


def check_public() -> list[Finding]:
    """Request /livez, begin a sign-in as a browser would, and read what applications read; the
    flow is deleted again."""
    transport, url = Transport(), site().settings.base_url
    try:
        status = transport.ask("GET", url + ALIVE).status_code
    except ProviderError as error:
        message = f"{error.detail}; does its name lead here, and is the server running?"
        return [public("warn", message)]
    if status != 200:
        message = f"{url}{ALIVE} answered {status}; does another server respond there?"
        return [public("warn", message), *begin(transport)]
    return [public("ok", f"{url} answers"), *begin(transport), *check_issuer(transport)]


def public(level: Level, message: str) -> Finding:
    return server_finding("public_url", "Public URL", level, message)


def begin(transport: Transport) -> list[Finding]:
    """Press a sign-in button and check the response."""
    connector = choose_connector()
    if connector is None:
        return []
    url = f"{site().settings.base_url}/login/{connector.name}"
    try:
        response = transport.ask("GET", url)
    except ProviderError as error:
        return [public("warn", f"{error.detail}; no sign-in can begin")]
    cookies = set_cookies(response)
    flow = next(((name, value) for name, value in cookies.items() if FLOW_COOKIE in name), None)
    if response.status_code != 302 or flow is None:
        message = f"{url} answered {response.status_code} and began no sign-in; does a proxy keep"
        return [public("warn", f"{message} /login from this server, or strip its cookies?")]
    name, (secret, flags) = flow
    return [same_server(connector, response, name, secret), cookie(name, flags), *hsts(response)]


def choose_connector() -> Connector | None:
    """Return the provider to try; preferably one that needs no request before the redirect."""
    connectors = list(site().connectors.values())
    plain = [
        connector
        for connector in connectors
        if connector.issuer is None and not connector.needs_request_token
    ]
    return next(iter([*plain, *connectors]), None)


def same_server(connector: Connector, response: Answer, name: str, secret: str) -> Finding:
    """Check that the new flow is in our own database, and has our callback address."""
    is_ours = schema.fault() is None and take_back(name.partition(FLOW_COOKIE)[2], secret)
    query = parse_qs(urlsplit(response.headers.get("Location", "")).query)
    sent = query.get("redirect_uri", [connector.redirect_uri])[0]
    label, check = "Public URL", "same_server"
    if not is_ours:
        message = "the server there uses another database than these settings; compare them"
        return server_finding(check, label, "fail", message)
    if sent != connector.redirect_uri:
        message = f"the server there sends people back to {sent}; restart it with these settings"
        return server_finding(check, label, "fail", message)
    return server_finding(check, label, "ok", "this server and database respond there")


def take_back(flow_id: str, secret: str) -> bool:
    """Delete the flow; return whether it existed."""
    is_there = is_id(flow_id) and db.session.get(Flow, flow_id) is not None
    if is_there:
        flows.drop({flow_id: secret})
    return is_there


def set_cookies(response: Answer) -> Mapping[str, tuple[str, frozenset[str]]]:
    """Return the cookies that a response sets: name, value and attributes (RFC 6265 4.1.1)."""
    found = {}
    for line in response.values_of("Set-Cookie"):
        pair, *attributes = line.split(";")
        name, _, value = pair.strip().partition("=")
        found[name] = (value, frozenset(part.strip().lower() for part in attributes))
    return found


def cookie(name: str, flags: frozenset[str]) -> Finding:
    """Check that a cookie arrives as it was sent: some proxies rewrite cookies."""
    is_https = site().settings.is_https
    wanted = {"httponly", "samesite=lax", "path=/"} | ({"secure"} if is_https else set())
    lacks = sorted(wanted - flags)
    lacks += ["no Domain"] if any(flag.startswith("domain=") for flag in flags) else []
    lacks += [] if name.startswith(cookie_name(FLOW_COOKIE)) else [f"the name {cookie_name('…')}"]
    details = {"flags": sorted(flags - {flag for flag in flags if flag.startswith("expires=")})}
    if lacks:
        message = f"cookies arrive without {', '.join(lacks)}; does a proxy rewrite them?"
        return server_finding("cookies", "Cookies", "fail", message, **details)
    secure = "Secure, " if is_https else ""
    message = f"arrive as they were sent: {secure}HttpOnly, SameSite=Lax"
    return server_finding("cookies", "Cookies", "ok", message, **details)


def hsts(response: Answer) -> list[Finding]:
    if not site().settings.is_https:
        return []
    if "max-age=" in response.headers.get("Strict-Transport-Security", ""):
        return [server_finding("hsts", "HSTS", "ok", "browsers are told to use https only")]
    message = "Strict-Transport-Security does not arrive; does a proxy remove it?"
    return [server_finding("hsts", "HSTS", "warn", message)]
