"""Request info: where a request comes from, as far as its headers can be believed."""

import ipaddress
import re
from functools import lru_cache

import structlog
from flask import Request, request

from accounts.activity import Caller
from web.request_state import request_state

log = structlog.get_logger()

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
USER_AGENT_MAX_CHARACTERS = 256
# Chromium today and before 2022, Safari's top sites, and Firefox.
PURPOSES = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
SPECULATIONS = ("prefetch", "prerender", "preview", "instant")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def caller() -> Caller:
    """Return the sender of this request, for sessions, activity and limits."""
    state = request_state()
    if state.caller is None:
        state.caller = Caller(
            address=address_of(request),
            user_agent=user_agent_of(request),
            reference=state.reference,
        )
    return state.caller


def address_of(http_request: Request) -> str:
    """Return the peer's address in its one canonical form; behind proxies, as TRUSTED_PROXIES says.

    Empty if it cannot be read, which is logged: all such visitors are counted as one.
    """
    state = request_state()
    if state.address is None:
        state.address = _read_address(http_request.remote_addr or "")
    return state.address


def _read_address(text: str) -> str:
    try:
        return canonical_address(text)
    except ValueError:
        log.warning("address_unreadable", value=text)
        return ""


@lru_cache(1024)  # visitors come back, and a proxy's own address is in every request
def canonical_address(text: str) -> str:
    """Return an address in its one form, without a port. Raises ValueError."""
    address = ipaddress.ip_address(_without_port(text).partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _without_port(text: str) -> str:
    """Remove the port: some proxies write 192.0.2.1:4711 or [2001:db8::1]:4711 into
    X-Forwarded-For."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host, _, port = text.partition(":")
    return host if port.isdigit() and "." in host else text


def user_agent_of(http_request: Request) -> str:
    """Return the User-Agent in a form that can be stored: PostgreSQL refuses a NUL."""
    text = http_request.headers.get("User-Agent", "")[:USER_AGENT_MAX_CHARACTERS]
    return _CONTROLS.sub("", text)


def came_through_proxy(http_request: Request) -> bool:
    """Whether a proxy announces itself in a header."""
    names = [name.lower() for name, _value in http_request.headers]
    signs = ("forwarded", "via", "x-real-ip")
    return any(name in signs or name.startswith("x-forwarded-") for name in names)


def is_navigation(http_request: Request) -> bool:
    """Whether this may be a person's navigation, as far as the browser says.

    It is not for an image, a script, a frame or a prefetch: any site can make its visitors'
    browsers load those in large numbers.
    """
    headers = http_request.headers
    return (
        headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
        and headers.get("Sec-Fetch-Dest", "document") == "document"
        and not is_speculative(http_request)
    )


def is_speculative(http_request: Request) -> bool:
    """Whether a browser loads this before its person asks for it, by any name of that signal."""
    said = " ".join(http_request.headers.get(name, "") for name in PURPOSES).lower()
    return any(word in said for word in SPECULATIONS)
