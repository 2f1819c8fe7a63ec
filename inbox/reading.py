"""Reads what was verified: JSON of bounded depth, and times."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from inbox.notices import NoticeRefused, Reply
from providers.profile import clean_id

MAX_DEPTH = 20
# Years that a datetime and both databases can hold.
LATEST = datetime(9000, 1, 1, tzinfo=UTC).timestamp()


def parse_object(text: bytes | str, refusal: Reply) -> dict[str, Any]:
    """Return a JSON object. Raises NoticeRefused for anything else, also if it is too deep."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise NoticeRefused(refusal, "the body is no JSON") from None
    if not isinstance(value, dict) or _depth(value) > MAX_DEPTH:
        raise NoticeRefused(refusal, "the body is no JSON object, or too deep")
    return value


def _depth(value: object) -> int:
    depth, level = 0, [value]
    while level and depth <= MAX_DEPTH:
        depth += 1
        level = [each for outer in level for each in _parts(outer)]
    return depth


def _parts(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def moment(seconds: object, default: datetime) -> datetime:
    """Return a Unix time as a datetime, never later than ``default``; that itself if it is none."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return default
    # Compared as it is: an integer of JSON may be too large for a float.
    if not 0 < seconds < LATEST:
        return default
    return min(datetime.fromtimestamp(seconds, UTC), default)


def read_iso(text: str) -> datetime | None:
    """Read a time in ISO 8601, in UTC where it does not say; None if it is none."""
    try:
        said = datetime.fromisoformat(text)
    except ValueError:
        return None
    return said.replace(tzinfo=UTC) if said.tzinfo is None else said


def iso_moment(text: str, default: datetime) -> datetime:
    """Do the same; ``default`` if it is none, or later than that."""
    said = read_iso(text)
    return moment(said.timestamp(), default) if said else default


def text_at(value: object, *path: str) -> str:
    """Return a text, or a number as text, at a path of members; empty if there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return clean_id(value)


def key_of(said: object, body: bytes) -> str:
    """Return what a provider gives each notice once; a hash of what came, if it gives nothing."""
    return said if isinstance(said, str) and said else hashlib.sha256(body).hexdigest()
