"""Webhooks: the addresses that the operator wants told, what each wants, and their secrets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from urllib.parse import urlsplit

import structlog
from flask import current_app
from sqlalchemy import delete, select, update

from errors import NotFound
from keys.sealing import Sealer
from notices.webhook_models import WebhookRow
from notices.webhook_signatures import new_secret
from storage import atomic, db, is_id, new_id, now

log = structlog.get_logger()


@dataclass(frozen=True)
class Endpoint:
    """A webhook. ``events``: the types that it wants; none: all."""

    id: str
    url: str
    events: Sequence[str]
    with_profile: bool
    overlap_until: datetime | None
    created_at: datetime
    paused_until: datetime | None
    delivered_at: datetime | None
    failing_since: datetime | None
    fault: str
    disabled_at: datetime | None

    @property
    def is_enabled(self) -> bool:
        return self.disabled_at is None

    def wants(self, type_: str) -> bool:
        return not self.events or type_ in self.events


def host_of(url: str) -> str:
    """Return the host of an address: its path may hold a secret of the receiver's."""
    return urlsplit(url).hostname or ""


def sealer() -> Sealer:
    return cast(Sealer, current_app.extensions["sealer"])


def bound_to(row: WebhookRow) -> str:
    """Return the binding of a row's sealed secrets: they open in this row only."""
    return _bound_to(row.id)


def _bound_to(webhook_id: str) -> str:
    return f"webhook:{webhook_id}"


def _read(row: WebhookRow) -> Endpoint:
    return Endpoint(**{name: getattr(row, name) for name in Endpoint.__dataclass_fields__})


@atomic
def add(url: str, events: Sequence[str], *, with_profile: bool) -> tuple[Endpoint, str]:
    """Add a webhook; return it and its secret. ``events``: the types that it wants; none: all."""
    webhook_id, secret = new_id(), new_secret()
    row = WebhookRow(
        id=webhook_id,
        url=url,
        events=list(events),
        with_profile=with_profile,
        secrets=sealer().seal([secret], _bound_to(webhook_id)),
        created_at=now(),
        fault="",
    )
    db.session.add(row)
    db.session.flush()
    log.info("webhook_added", webhook=row.id)
    return _read(row), secret


def every() -> list[Endpoint]:
    """Return all webhooks, the oldest first."""
    query = select(WebhookRow).order_by(WebhookRow.created_at, WebhookRow.id)
    found = db.session.scalars(query.execution_options(populate_existing=True)).all()
    return [_read(row) for row in found]


def get(webhook_id: str) -> Endpoint:
    """Return a webhook. Raises NotFound."""
    return _read(_row(webhook_id))


def _row(webhook_id: str) -> WebhookRow:
    query = select(WebhookRow).where(WebhookRow.id == webhook_id)
    query = query.execution_options(populate_existing=True)
    row = db.session.scalar(query) if is_id(webhook_id) else None
    if row is None:
        raise NotFound("There is no such webhook")
    return row


def secrets_of(webhook_id: str) -> list[str]:
    """Return the secrets that sign now, the newest first. Raises NotFound or TokenUnreadable."""
    row = _row(webhook_id)
    keys: list[str] = sealer().open(row.secrets, bound_to(row))
    is_overlapping = row.overlap_until is not None and row.overlap_until > now()
    return keys if is_overlapping else keys[:1]


@atomic
def rotate_secret(webhook_id: str, overlap: timedelta) -> str:
    """Give a webhook a new secret; the old one signs too for ``overlap``. Raises NotFound, or
    TokenUnreadable if the old one cannot be read and shall go on."""
    row = _row(webhook_id)
    secret = new_secret()
    before = sealer().open(row.secrets, bound_to(row))[:1] if overlap else []
    sealed = sealer().seal([secret, *before], bound_to(row))
    _change(webhook_id, secrets=sealed, overlap_until=now() + overlap if overlap else None)
    log.info("webhook_secret_rotated", webhook=webhook_id)
    return secret


@atomic
def enable(webhook_id: str) -> Endpoint:
    """Tell a webhook again what happens from now on. Raises NotFound."""
    found = get(webhook_id)
    if not found.is_enabled:
        _change(webhook_id, disabled_at=None, paused_until=None, failing_since=None, fault="")
        log.info("webhook_enabled", webhook=webhook_id)
    return get(webhook_id)


@atomic
def remove(webhook_id: str) -> None:
    """Delete a webhook with everything that waits for it. Raises NotFound."""
    _row(webhook_id)
    gone = delete(WebhookRow).where(WebhookRow.id == webhook_id)
    db.session.execute(gone.execution_options(synchronize_session=False))
    log.info("webhook_removed", webhook=webhook_id)


def _change(webhook_id: str, **values: object) -> None:
    change = update(WebhookRow).where(WebhookRow.id == webhook_id).values(**values)
    db.session.execute(change.execution_options(synchronize_session=False))
