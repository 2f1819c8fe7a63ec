"""How attempts at webhooks end: what a response means, the schedule, and what is written of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from random import random
from typing import Any, Literal, cast

from sqlalchemy import CursorResult, func, or_, update

from notices import endpoints, mails
from notices.endpoints import host_of
from notices.mails import MailKind
from notices.webhook_models import DeliveryRow, WebhookRow
from notices.webhooks import ROWS
from storage import atomic, db, now
from storage.clock import DatabaseTime

# The pauses before the second to tenth attempt, as the specification recommends.
DELAYS_SECONDS = (5, 300, 1800, *(hours * 3600 for hours in (2, 5, 10, 14, 20, 24)))
# Receivers that were away together do not come back together.
JITTER = 0.1
GONE = 410
# The receiver has too much to do: all its messages wait.
BUSY = (429, 502, 503, 504)
BUSY_SECONDS = 60
LONGEST_PAUSE_SECONDS = 24 * 3600
# A success is noted so often at most.
NOTED_EVERY = timedelta(minutes=1)


End = Literal["delivered", "postponed", "failed", "gone"]


@dataclass(frozen=True)
class Response:
    """The receiver's response. Names of headers are lower case."""

    status: int
    headers: Mapping[str, str]

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True)
class Leased:
    """A message that this process tries now; ``body`` is None if no key opens it."""

    id: str
    webhook_id: str
    url: str
    message_id: str
    type: str
    body: str | None
    created_at: datetime
    attempts: int


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended, and after how many seconds the message, or all of its webhook, is tried
    again."""

    end: End
    detail: str
    delay: float = 0
    pause: float = 0


def outcome_of(response: Response, attempts: int) -> Outcome:
    """Return how an attempt with this response ends; ``attempts``: its number."""
    detail = f"status {response.status}"
    if response.is_success:
        return Outcome("delivered", detail)
    if response.status == GONE:
        return Outcome("gone", detail)
    pause = retry_after(response.headers.get("retry-after", ""), now())
    if pause is None:
        pause = BUSY_SECONDS if response.status in BUSY else 0
    return again(attempts, detail, min(pause, LONGEST_PAUSE_SECONDS))


def again(attempts: int, detail: str, pause: float = 0) -> Outcome:
    """Return the outcome of an attempt that failed; the tenth is the last."""
    if attempts > len(DELAYS_SECONDS):
        return Outcome("failed", detail)
    jitter = 1 + JITTER * random()  # noqa: S311 (nothing secret)
    delay = DELAYS_SECONDS[attempts - 1] * jitter
    return Outcome("postponed", detail, max(delay, pause), pause)


def retry_after(text: str, moment: datetime) -> float | None:
    """Read a Retry-After (RFC 9110 10.2.3): seconds or a date; None if it is neither."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return max(0.0, math.ceil((at - moment).total_seconds()))


@atomic
def finish(leased: Leased, outcome: Outcome, operator_email: str | None) -> bool:
    """Write how an attempt ended; return whether that disabled the webhook, of which a mail tells
    ``operator_email``."""
    mine = (DeliveryRow.attempts == leased.attempts, DeliveryRow.state == "waiting")
    if outcome.end == "postponed":
        due = {"due_at": DatabaseTime(outcome.delay), "detail": outcome.detail}
        update_delivery(leased.id, *mine, **due)
    else:
        state = "delivered" if outcome.end == "delivered" else "failed"
        update_delivery(leased.id, *mine, state=state, ended_at=now(), detail=outcome.detail)
    if outcome.end == "delivered":
        _note_success(leased.webhook_id)
        return False
    _note_failure(leased.webhook_id, outcome)
    return outcome.end != "postponed" and _disable(
        leased.webhook_id, outcome.detail, operator_email
    )


def _note_success(webhook_id: str) -> None:
    news = (
        WebhookRow.failing_since.is_not(None),
        WebhookRow.delivered_at.is_(None),
        WebhookRow.delivered_at < now() - NOTED_EVERY,
    )
    values = {"delivered_at": now(), "failing_since": None, "fault": "", "paused_until": None}
    _update_webhook(webhook_id, or_(*news), **values)


def _note_failure(webhook_id: str, outcome: Outcome) -> None:
    since = func.coalesce(WebhookRow.failing_since, now())
    _update_webhook(webhook_id, failing_since=since, fault=outcome.detail)
    if outcome.pause:
        _update_webhook(webhook_id, paused_until=now() + timedelta(seconds=outcome.pause))
        until = DatabaseTime(outcome.pause)
        idle = (DeliveryRow.state == "waiting", ROWS.is_free)
        waits = update(DeliveryRow).where(DeliveryRow.webhook_id == webhook_id, *idle)
        waits = waits.values(due_at=until).execution_options(synchronize_session=False)
        db.session.execute(waits)


def _disable(webhook_id: str, reason: str, operator_email: str | None) -> bool:
    """Tell a webhook nothing more, until the operator enables it; return whether it was enabled."""
    if not _update_webhook(webhook_id, WebhookRow.disabled_at.is_(None), disabled_at=now()):
        return False
    left = update(DeliveryRow).where(
        DeliveryRow.webhook_id == webhook_id, DeliveryRow.state == "waiting"
    )
    left = left.values(state="failed", ended_at=now(), detail="disabled")
    db.session.execute(left.execution_options(synchronize_session=False))
    if operator_email:
        host = host_of(endpoints.get(webhook_id).url)
        data = {"host": host, "at": now().isoformat(), "reason": reason}
        mails.plan(MailKind.WEBHOOK_OFF, [operator_email], user_id=None, data=data)
    return True


def update_delivery(row_id: str, *where: Any, **values: Any) -> None:
    """Change columns of a delivery that meets these conditions."""
    change = update(DeliveryRow).where(DeliveryRow.id == row_id, *where).values(**values)
    db.session.execute(change.execution_options(synchronize_session=False))


def _update_webhook(webhook_id: str, *where: Any, **values: Any) -> bool:
    change = update(WebhookRow).where(WebhookRow.id == webhook_id, *where).values(**values)
    result = db.session.execute(change.execution_options(synchronize_session=False))
    return cast(CursorResult[Any], result).rowcount == 1
