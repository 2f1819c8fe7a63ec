"""Deletions that people asked for at their provider: how far each is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from inbox import receipts
from inbox.effects import STALE
from models import User
from storage import db


class Progress(StrEnum):
    """How far a deletion is."""

    DONE = "done"
    NOTHING_KEPT = "nothing_kept"
    SCHEDULED = "scheduled"
    # The person signed in after they asked for it, or chose to keep the account.
    KEPT = "kept"


@dataclass(frozen=True)
class Status:
    """How far a deletion is. ``due_at``: when a scheduled one is done."""

    progress: Progress
    provider: str
    received_at: datetime
    due_at: datetime | None = None


def status_of(code: str) -> Status | None:
    """Return how far the deletion with this code is; None if there is none, or not any more."""
    receipt = receipts.of_code(code)
    if receipt is None:
        return None
    progress, due_at = Progress.NOTHING_KEPT, None
    if receipt.effect == STALE:
        progress = Progress.KEPT
    elif receipt.effect == "removed":
        progress = Progress.DONE
    elif receipt.effect == "deletion_planned":
        progress, due_at = _of_account(receipt.user_id)
    return Status(progress, receipt.provider, receipt.received_at, due_at)


def _of_account(user_id: str | None) -> tuple[Progress, datetime | None]:
    """Return how far the deletion of a whole account is; it is gone where no id is left."""
    if user_id is None:
        return Progress.DONE, None
    due_at = db.session.scalar(select(User.delete_due_at).where(User.id == user_id))
    return (Progress.SCHEDULED, due_at) if due_at else (Progress.KEPT, None)
