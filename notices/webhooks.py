"""Messages to webhooks: planned in the transaction of their event, one row for each webhook that
wants the type. deliveries.py sends them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from flask import g
from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Select,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from errors import NotFound
from jobs.leases import Leasable
from jobs.outbox import Backlog
from jobs.worker import run_after_response
from notices.endpoints import sealer
from notices.webhook_events import WebhookType, make_body
from notices.webhook_models import DeliveryRow, WebhookRow
from storage import atomic, db, is_id, new_id, now
from storage.clock import DatabaseTime
from storage.compiled import CompiledSelect

JOB = "webhooks"
MESSAGE_PREFIX = "msg_"
# How long a message can be sent again.
KEPT = timedelta(days=7)
# A long job does not believe for ever what it has read.
ASKED_EVERY_SECONDS = 1.0
ROWS = Leasable(DeliveryRow.id, DeliveryRow.due_at, DeliveryRow.attempts)


@dataclass(frozen=True)
class Enabled:
    """The facts of a webhook that a plan needs."""

    id: str
    events: list[str]
    with_profile: bool
    paused_until: datetime | None


_ENABLED = CompiledSelect(
    select(
        WebhookRow.id, WebhookRow.events, WebhookRow.with_profile, WebhookRow.paused_until
    ).where(WebhookRow.disabled_at.is_(None)),
    Enabled,
)


def plan(type_: str, data: Mapping[str, str], /) -> None:
    """Plan to tell the webhooks that want this type; nothing if there are none. Call within the
    atomic verb of the event.

    ``type_``: one of WebhookType. ``data``: ids, ``provider``, ``reason`` and the like; what is
    not thin (webhook_events.py) goes only to webhooks that were added with profiles.
    """
    kind = WebhookType(type_)
    moment, message_id = now(), new_message_id()
    for webhook in _enabled():
        if webhook.events and kind not in webhook.events:
            continue
        body = make_body(kind, moment, data, with_profile=webhook.with_profile)
        is_paused = webhook.paused_until is not None and webhook.paused_until > moment
        row_id = new_id()
        values = {
            "id": row_id,
            "webhook_id": webhook.id,
            "message_id": message_id,
            "type": kind.value,
            "sealed": sealer().seal(body, _bound_to(row_id)),
            "created_at": moment,
            "due_at": webhook.paused_until if is_paused else DatabaseTime(),
            "attempts": 0,
            "state": "waiting",
            "detail": "",
        }
        db.session.execute(insert(DeliveryRow).values(**values))
        run_after_response(JOB)


def _enabled() -> list[Enabled]:
    """Return the webhooks that are told anything. A request with several events asks once."""
    asked_at, found = g.get("enabled_webhooks", (0.0, None))
    if found is None or time.monotonic() > asked_at + ASKED_EVERY_SECONDS:
        found = _ENABLED.rows()
        g.enabled_webhooks = time.monotonic(), found
    return cast(list[Enabled], found)


def new_message_id() -> str:
    return MESSAGE_PREFIX + new_id()


def bound_to(row: DeliveryRow) -> str:
    """Return the binding of a row's sealed body: it opens in this row only."""
    return _bound_to(row.id)


def _bound_to(row_id: str) -> str:
    return f"delivery:{row_id}"


@atomic
def replay(which: str) -> list[str]:
    """Have messages sent again, under the same id; return the ids of their webhooks.

    ``which``: a message, for all webhooks that were told of it; or a webhook, for all that it did
    not take. Raises NotFound if nothing of it is kept, or its webhooks are disabled.
    """
    message = which.removeprefix(MESSAGE_PREFIX)
    if not is_id(message):
        raise NotFound("There is no such message or webhook")
    of_webhook = (DeliveryRow.webhook_id == which, DeliveryRow.state == "failed")
    of_message = (DeliveryRow.message_id == which, _is_idle())
    mine = of_message if message != which else of_webhook
    enabled = select(WebhookRow.id).where(WebhookRow.disabled_at.is_(None))
    query = select(DeliveryRow.id, DeliveryRow.webhook_id)
    found = db.session.execute(query.where(*mine, DeliveryRow.webhook_id.in_(enabled))).all()
    if not found:
        raise NotFound("There is no message to send again")
    for row_id, _webhook_id in found:
        again = update(DeliveryRow).where(DeliveryRow.id == row_id, _is_idle())
        again = again.values(
            state="waiting", attempts=0, due_at=DatabaseTime(), ended_at=None, detail=""
        )
        db.session.execute(again.execution_options(synchronize_session=False))
    run_after_response(JOB)
    return sorted({webhook_id for _row_id, webhook_id in found})


def _is_idle() -> ColumnElement[bool]:
    """The condition that nobody tries a row now: a lease empties ``detail``."""
    return or_(DeliveryRow.state != "waiting", DeliveryRow.detail != "")


@atomic
def retry() -> int:
    """Make every row due that waits for its next attempt; return how many. One that is being tried
    goes on."""
    idle = (DeliveryRow.state == "waiting", _is_idle(), ~ROWS.is_free)
    due = update(DeliveryRow).where(*idle).values(due_at=DatabaseTime())
    result = db.session.execute(due.execution_options(synchronize_session=False))
    run_after_response(JOB)
    return cast(CursorResult[Any], result).rowcount


def waiting() -> Backlog:
    """Return how many messages wait, and since when."""
    query = select(func.count(), func.min(DeliveryRow.created_at))
    count, oldest = db.session.execute(query.where(DeliveryRow.state == "waiting")).one()
    return Backlog(count, max(0.0, (now() - oldest).total_seconds()) if oldest else 0.0)


def expired() -> Select[str]:
    """Select the ids of messages that are kept no longer."""
    return select(DeliveryRow.id).where(DeliveryRow.ended_at < now() - KEPT)


@atomic
def purge(ids: Sequence[str]) -> None:
    """Delete expired messages, by id."""
    db.session.execute(delete(DeliveryRow).where(DeliveryRow.id.in_(ids)))
