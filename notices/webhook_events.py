"""Types of webhook messages, and their bodies (Standard Webhooks 1.0.0).

The data is thin: ids, providers, reasons. Whatever else an event says may name its person, and goes
only to webhooks that were added with it.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum

MAX_BYTES = 20 * 1024
VALUE_MAX_CHARACTERS = 255
# Facts that tell nothing about a person, as do those whose names end in _id.
THIN = frozenset({"provider", "providers", "reason", "kind", "effect", "app", "at", "date"})


class WebhookType(StrEnum):
    """The types of messages; docs/operate/webhooks.md says when each is sent."""

    USER_CREATED = "user.created"
    USER_UPDATED = "user.updated"
    USER_DISABLED = "user.disabled"
    USER_ENABLED = "user.enabled"
    USER_DELETED = "user.deleted"
    USER_MERGED = "user.merged"
    IDENTITY_LINKED = "identity.linked"
    IDENTITY_REMOVED = "identity.removed"
    IDENTITY_SUSPENDED = "identity.suspended"
    SESSION_STARTED = "session.started"
    SESSION_ENDED = "session.ended"
    ACCOUNT_ALARM = "account.alarm"
    NOTICE_RECEIVED = "notice.received"
    ACCESS_LOST = "access.lost"


# The command sends it to see whether a webhook works.
TEST = "webhook.test"


def make_body(type_: str, moment: datetime, data: Mapping[str, str], *, with_profile: bool) -> str:
    """Return a message as JSON, of at most MAX_BYTES."""
    thin = {name: value for name, value in data.items() if is_thin(name)}
    more = {name: value for name, value in data.items() if with_profile and name not in thin}
    kept = {name: value[:VALUE_MAX_CHARACTERS] for name, value in {**thin, **more}.items()}
    while len(body := _as_json(type_, moment, kept)) > MAX_BYTES:
        kept.popitem()  # profiles first
    return body.decode()


def is_thin(name: str) -> bool:
    """Tell whether a fact of this name goes to every webhook."""
    return name.endswith("_id") or name in THIN


def _as_json(type_: str, moment: datetime, data: Mapping[str, str]) -> bytes:
    stamp = moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    document = {"type": type_, "timestamp": stamp, "data": data}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
