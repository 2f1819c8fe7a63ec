"""Sends waiting messages to webhooks (Standard Webhooks 1.0.0): signed, with the same id at each
attempt, on a schedule of three days; then the webhook is disabled.

A row is leased for longer than an attempt can last; no database connection is held while the
receiver is asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, cast

import structlog
from flask import current_app
from sqlalchemy import func, select

from errors import TokenUnreadable
from jobs.leases import lease_row
from jobs.outbox import Attempt, Part
from jobs.parallel import Outbox
from notices import endpoints
from notices.delivery_ends import (
    End,
    Leased,
    Outcome,
    Response,
    again,
    finish,
    outcome_of,
    update_delivery,
)
from notices.endpoints import host_of
from notices.webhook_events import TEST, make_body
from notices.webhook_models import DeliveryRow, WebhookRow
from notices.webhook_signatures import sign
from notices.webhooks import JOB, ROWS, bound_to, new_message_id
from storage import atomic, db, now
from storage.clock import DatabaseTime
from telemetry import metrics

log = structlog.get_logger()

EXTENSION = "webhooks"
# Longer than one attempt can last.
LEASE_SECONDS = 60


class Send(Protocol):
    """Sends a JSON body to an address. Raises SendFailed."""

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Response: ...


class SendFailed(Exception):
    """A receiver did not answer. The text names the fault, without the address."""


@dataclass(frozen=True)
class Webhooks:
    """How this site sends messages, and who is told when a webhook is disabled."""

    send: Send
    operator_email: str | None


def of_site() -> Webhooks:
    """Return how this site sends messages."""
    return cast(Webhooks, current_app.extensions[EXTENSION])


def outbox(send: Send) -> Outbox[Leased]:
    """Return the outbox for the job that works it off."""
    return Outbox(
        JOB, webhooks_due, lease_next, lambda leased: deliver(leased, send), seconds_to_next
    )


def deliver_due(send: Send, webhook_ids: Sequence[str] | None = None) -> list[End]:
    """Try every due message once, of all webhooks or of these; return how each ended."""
    ends = []
    for webhook_id in webhooks_due() if webhook_ids is None else webhook_ids:
        while leased := lease_next(webhook_id):
            ends.append(deliver(leased, send))
    return ends


def webhooks_due() -> Sequence[str]:
    """Return the ids of webhooks with a message that is due."""
    is_due = (DeliveryRow.state == "waiting", ROWS.is_free)
    found = db.session.scalars(select(DeliveryRow.webhook_id).where(*is_due).distinct()).all()
    db.session.commit()
    return found


@atomic
def lease_next(webhook_id: str) -> Leased | None:
    """Lease the next due message of a webhook, for longer than an attempt can last."""
    is_due = (DeliveryRow.webhook_id == webhook_id, DeliveryRow.state == "waiting", ROWS.is_free)
    due = select(DeliveryRow).where(*is_due).order_by(DeliveryRow.due_at).limit(10)
    rows = db.session.scalars(due.execution_options(populate_existing=True)).all()
    for row in rows:
        if lease_row(ROWS, row.id, row.attempts, LEASE_SECONDS):
            update_delivery(row.id, detail="")
            url = endpoints.get(webhook_id).url
            facts = (row.message_id, row.type, _open(row), row.created_at, row.attempts + 1)
            return Leased(row.id, webhook_id, url, *facts)
    return None


def _open(row: DeliveryRow) -> str | None:
    try:
        return cast(str, endpoints.sealer().open(row.sealed, bound_to(row)))
    except TokenUnreadable:
        return None


def deliver(leased: Leased, send: Send) -> End:
    """Send one message once; 2xx is a success, and no redirect is followed."""
    outcome = _try(leased, send)
    if finish(leased, outcome, of_site().operator_email):
        log.error("webhook_disabled", webhook=leased.webhook_id, detail=outcome.detail)
    end = outcome.end
    metrics.count_webhook(end)
    write = log.info if end == "delivered" else log.warning if end == "postponed" else log.error
    facts = {"webhook": leased.webhook_id, "message": leased.message_id, "type": leased.type}
    write("webhook", **facts, end=end, attempt=leased.attempts, detail=outcome.detail)
    return end


def _try(leased: Leased, send: Send) -> Outcome:
    body = leased.body
    if body is None:
        return Outcome("failed", "unreadable")
    try:
        keys = endpoints.secrets_of(leased.webhook_id)
    except TokenUnreadable:
        return Outcome("failed", "unreadable secret")
    db.session.remove()  # no connection is held while the receiver is asked
    attempt = Attempt(
        lambda: _send(leased.url, leased.message_id, body, keys, send),
        leased.created_at,
        SendFailed,
        JOB,
    )
    if attempt.end is not None:
        return outcome_of(attempt.end, leased.attempts)
    error = attempt.error
    detail = str(error) if isinstance(error, SendFailed) else type(error).__name__
    return again(leased.attempts, detail[:100])


def _send(url: str, message_id: str, body: str, keys: Sequence[str], send: Send) -> Response:
    signed = sign(message_id, int(now().timestamp()), body, keys)
    return send(url, {"Content-Type": "application/json", **signed}, body.encode())


def send_test(webhook_id: str, send: Send) -> Response:
    """Send a message of type webhook.test now, once, also to a webhook that is disabled.

    Raises NotFound, SendFailed or TokenUnreadable.
    """
    webhook, keys = endpoints.get(webhook_id), endpoints.secrets_of(webhook_id)
    db.session.remove()
    body = make_body(TEST, now(), {"webhook_id": webhook.id}, with_profile=False)
    return _send(webhook.url, new_message_id(), body, keys, send)


def by_webhook() -> list[Part]:
    """Return what waits, by the address of the webhook."""
    query = select(
        WebhookRow.url,
        func.count(),
        func.min(DeliveryRow.created_at),
        func.min(DeliveryRow.due_at),
        func.max(DeliveryRow.attempts),
    )
    query = query.join(WebhookRow, WebhookRow.id == DeliveryRow.webhook_id)
    query = query.where(DeliveryRow.state == "waiting").group_by(WebhookRow.id, WebhookRow.url)
    found = [Part(*row) for row in db.session.execute(query.order_by(WebhookRow.url))]
    return [replace(each, name=host_of(each.name)) for each in found]


def seconds_to_next() -> float | None:
    """Return how long until a message is due; None if none waits."""
    query = select(func.min(DeliveryRow.due_at), DatabaseTime())
    due_at, moment = db.session.execute(query.where(DeliveryRow.state == "waiting")).one()
    db.session.commit()
    return None if due_at is None else max(0.0, (due_at - moment).total_seconds())
