"""Redirect URIs: which may be registered, and which of a request is a registered one.

RFC 6749 3.1.2, RFC 9700 2.1, RFC 8252 7.
"""

import re
from urllib.parse import urlencode, urlsplit

MAX_CHARACTERS = 2048
# The characters of a URI (RFC 3986 2) that need no encoding.
_PLAIN = re.compile(r"[A-Za-z0-9%!$&'()*+,/:;=?@\[\]._~-]+")
# A host, shown to people and named in a Content-Security-Policy, where ; and , have a meaning: as
# every browser reads it, in punycode for other scripts.
_AUTHORITY = re.compile(
    r"(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.IGNORECASE
)
# ASCII digits alone: \d takes those of every script, which browsers read as they like.
_LOOPBACK = re.compile(
    r"http://(?P<host>127\.0\.0\.1|\[::1\]|localhost)(?::(?P<port>[1-9][0-9]{0,4}))?(?P<rest>[/?].*)?"
)
# RFC 8252 7.1: a domain name in reverse, so that nobody else uses it.
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+")
MAX_PORT = 65535


def fault(uri: str, *, is_public: bool) -> str | None:
    """Return why a redirect URI cannot be registered; None if it can."""
    if len(uri) > MAX_CHARACTERS or not _PLAIN.fullmatch(uri):
        return "must be a plain address without fragment, spaces or other special characters"
    if "*" in uri:
        return "wildcards are not possible: register each address"
    return _place_fault(uri) or _scheme_fault(uri, is_public=is_public)


def _place_fault(uri: str) -> str | None:
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return "is not an address"
    if parts.username is not None or parts.password is not None or port == 0:
        return "must not hold a user name or port 0"
    return None


def _scheme_fault(uri: str, *, is_public: bool) -> str | None:
    scheme = uri.partition(":")[0]
    if uri.startswith("https://"):
        is_plain = _AUTHORITY.fullmatch(urlsplit(uri).netloc)
        return None if is_plain else "its host must be a plain name or address"
    if scheme == "http":
        is_here = _LOOPBACK.fullmatch(uri)
        return None if is_here else "http is for 127.0.0.1, [::1] and localhost only; use https"
    if _PRIVATE_SCHEME.fullmatch(scheme):
        return None if is_public else "a scheme of an app's own needs --public"
    return "must begin with https://, http://127.0.0.1 or a scheme like com.example.app:"


def find_registered(registered: list[str], given: str, *, is_public: bool) -> bool:
    """Return whether a request's redirect URI is a registered one, character by character.

    A native app listens on whatever port is free (RFC 8252 7.3), so for public clients the port of
    a loopback address may differ.
    """
    if given in registered:
        return True
    place = _loopback_place(given) if is_public else None
    return place is not None and place in map(_loopback_place, registered)


def _loopback_place(uri: str) -> tuple[str, str] | None:
    """Return host and path of a loopback address, without the port."""
    found = _LOOPBACK.fullmatch(uri)
    if found is None or int(found["port"] or 0) > MAX_PORT:
        return None
    return found["host"], found["rest"] or ""


def is_native(uri: str) -> bool:
    """Return whether a redirect URI leads to an app on this device: on it any app may listen, so
    its person is asked each time (RFC 8252 8.6)."""
    return not uri.startswith("https://")


def form_source(uri: str) -> str:
    """Return what Content-Security-Policy calls the target of a redirect URI, from its parsed
    parts only."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https"):
        return f"{parts.scheme}:"
    if ":" in (parts.hostname or ""):  # CSP cannot name an IPv6 address
        return f"{parts.scheme}:"
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"


def host_of(uri: str) -> str:
    """Return where a redirect URI leads, for people: a host, or an app's scheme."""
    parts = urlsplit(uri)
    is_on_the_web = parts.scheme in ("https", "http") and parts.hostname
    return parts.hostname or "" if is_on_the_web else f"{parts.scheme}:"


def with_parameters(uri: str, parameters: dict[str, str]) -> str:
    """Add parameters to an address, which may have some (RFC 6749 3.1.2)."""
    separator = "&" if "?" in uri else "?"
    return f"{uri}{separator}{urlencode(parameters)}"
