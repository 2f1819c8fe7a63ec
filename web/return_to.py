"""Where a person may be sent afterwards: a path of this site, or a page of an origin in
CORS_ORIGINS, which may act for the person anyway.
"""

import re
from collections.abc import Collection, Mapping
from urllib.parse import unquote, urlsplit

import structlog

from web.context import site

log = structlog.get_logger()

RETURN_PATH_MAX_CHARACTERS = 512
RETURN_URL_MAX_CHARACTERS = 2048
# The origin ends where the path, the query or the fragment begins; then only what a URL may hold
# (RFC 3986), so that every browser reads the same origin.
_PAGE = re.compile(r"(https?://[^/?#]+)(?:[/?#][A-Za-z0-9%!$&'()*+,/:;=?@._~#\[\]-]*)?")
_UNSAFE_IN_PATH = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")


def asked_return(values: Mapping[str, str], default: str = "") -> str:
    """Return where a request asks its person to be sent, by ``return_to`` or ``next``."""
    return return_target(values.get("return_to") or values.get("next"), default)


def return_target(value: str | None, default: str = "") -> str:
    """Return ``value`` if a person may be sent there, otherwise ``default``."""
    if path := local_path(value):
        return path
    if is_page_of(value or "", site().settings.cors_origins):
        return value or default
    if page := _PAGE.match(value or ""):
        log.warning(
            "return_to_refused", origin=_without_credentials(page[1])[:256], setting="CORS_ORIGINS"
        )
    return default


def _without_credentials(origin: str) -> str:
    """Remove the user name and password that a URL may have before its host."""
    scheme, _, rest = origin.partition("//")
    return f"{scheme}//{rest.rpartition('@')[2]}"


def is_page_of(url: str, origins: Collection[str]) -> bool:
    """Tell whether a URL is a page of one of these origins, which is compared as text: no user
    name, no other spelling."""
    page = _PAGE.fullmatch(url)
    is_short = len(url) <= RETURN_URL_MAX_CHARACTERS
    return page is not None and is_short and page[1] in origins


def local_path(value: str | None, default: str = "") -> str:
    """Return ``value`` if it is a path of this site, otherwise ``default``.

    It must remain one however often it is decoded: no scheme or host, no ``//``, backslash or
    control character. A blank is kept, encoded.
    """
    if not value or len(value) > RETURN_PATH_MAX_CHARACTERS:
        return default
    form = value
    for _ in range(5):
        if not _is_local(form):
            return default
        decoded = unquote(form)
        if decoded == form:
            return value.replace(" ", "%20")
        form = decoded
    return default


def _is_local(path: str) -> bool:
    if not path.startswith("/") or path.startswith("//") or _UNSAFE_IN_PATH.search(path):
        return False
    try:
        parts = urlsplit(path)
    except ValueError:
        return False
    return not parts.scheme and not parts.netloc and "//" not in parts.path
