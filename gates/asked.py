"""The question of a proxy: the origin and the page that somebody wants behind it.

Each proxy writes that into headers of its own, and passes on others that a client sent. So every
family of headers that is present must name the same origin, which must be one of a gate: a client
can only shut itself out. No path, query, method or address decides anything.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

# nginx's auth_request follows no redirect: it gets 401 with the Location.
ORIGINAL_URL, ORIGINAL_METHOD = "HTTP_X_ORIGINAL_URL", "HTTP_X_ORIGINAL_METHOD"
# Traefik and Caddy. Envoy sends the scheme, and the wanted host and path as its own.
PROTO, HOST = "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST"
URI, METHOD = "HTTP_X_FORWARDED_URI", "HTTP_X_FORWARDED_METHOD"

TARGET_MAX_CHARACTERS = 8000
# A WebSocket belongs to the page that opens it.
SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
DEFAULT_PORTS = {"http": "80", "https": "443"}
_PLACE = r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?"
_AUTHORITY = re.compile(_PLACE)
_URL = re.compile(rf"([A-Za-z]{{2,5}})://{_PLACE}(/[^\x00-\x20\x7f]*)?")
_PORT = re.compile(r":[0-9]+\Z")
_TARGET = re.compile(r"/[^\x00-\x20\x7f]*")


class Asked(NamedTuple):
    """A request to a host behind a proxy.

    ``origin``: as browsers write it. ``target``: path and query, as they were sent. ``methods``:
    the request's method, by each header that names it. ``is_redirected_by_proxy``: the proxy sends
    the browser on itself, when it gets 401 with a Location.
    """

    origin: str
    target: str
    methods: tuple[str, ...]
    is_redirected_by_proxy: bool


def read(environ: Mapping[str, Any], method: str, rest: str) -> Asked | None:
    """Read what a proxy asks about; None if that is unclear.

    ``method``: the method of the proxy's own request; ``rest``: what follows the gate's name in its
    address. Both are the client's only where no header says otherwise.
    """
    url, host, proto = environ.get(ORIGINAL_URL), environ.get(HOST), environ.get(PROTO)
    origins, target = set(), None
    if url is not None:
        parts = _URL.fullmatch(url)
        if parts is None:
            return None
        origins.add(_origin(parts[1], parts[2], parts[3]))
        target = parts[4] or "/"
    if host is not None or url is None:
        origins.add(_forwarded_origin(proto, host or environ.get("HTTP_HOST", "")))
    elif proto is not None and SCHEMES.get(proto.lower()) != _scheme_of(origins):
        return None
    if len(origins) != 1 or (origin := origins.pop()) is None:
        return None
    target = target or environ.get(URI) or rest or "/"
    if not _TARGET.fullmatch(target):
        return None
    return Asked(origin, target, _methods(environ, method), url is not None)


def _scheme_of(origins: set[str | None]) -> str:
    return next((origin.partition(":")[0] for origin in origins if origin), "")


def _methods(environ: Mapping[str, Any], method: str) -> tuple[str, ...]:
    told = (environ.get(ORIGINAL_METHOD), environ.get(METHOD))
    return tuple(each for each in told if each is not None) or (method,)


@lru_cache(256)
def _forwarded_origin(proto: str | None, host: str) -> str | None:
    place = _AUTHORITY.fullmatch(host)
    return _origin(proto or "", place[1], place[2]) if place else None


def _origin(scheme: str, host: str, port: str | None) -> str | None:
    """Return an origin in the one form that is stored; None if there is no such scheme."""
    known = SCHEMES.get(scheme.lower())
    if known is None:
        return None
    host = host.lower()
    is_default = port is None or port.lstrip("0") == DEFAULT_PORTS[known]
    return f"{known}://{host}" if is_default else f"{known}://{host}:{port}"


def origin_of(url: str) -> str | None:
    """Return the origin of a URL, in the form that is compared; None if it is none."""
    parts = _URL.fullmatch(url)
    return _origin(parts[1], parts[2], parts[3]) if parts else None


def without_port(origin: str) -> str:
    """Return the scheme and the host of an origin."""
    return _PORT.sub("", origin)


def path_of(target: str) -> str:
    """Return the path of a target, without its query."""
    return target.partition("?")[0]


def storable(target: str) -> str:
    """Return a target that a Location can hold; the first page for one that is too long."""
    if len(target) > TARGET_MAX_CHARACTERS:
        return "/"
    # WSGI hands bytes on as Latin-1 (PEP 3333).
    return "".join(char if char < "\x7f" else f"%{ord(char):02X}" for char in target)
