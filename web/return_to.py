"""Return paths: where a person may be sent afterwards, on this site only."""

import re
from urllib.parse import unquote, urlsplit

RETURN_PATH_MAX_CHARACTERS = 512
_UNSAFE_IN_PATH = re.compile(r"[\x00-\x20\x7f-\x9f\\]")


def local_path(value: str | None, default: str = "") -> str:
    """Return ``value`` if it is a path of this site, otherwise ``default``.

    It must remain one however often it is decoded: no scheme or host, no ``//``, backslash, white
    space or control character.
    """
    if not value or len(value) > RETURN_PATH_MAX_CHARACTERS:
        return default
    form = value
    for _ in range(5):
        if not _is_local(form):
            return default
        decoded = unquote(form)
        if decoded == form:
            return value
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
