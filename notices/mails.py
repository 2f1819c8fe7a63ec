"""Mails: an outbox of what people are told, one row for each address.

A row is written in the transaction of its event: rolled back with it, and sent after it by a job
(sending.py). It is kept for a day after it was sent, so that the mails of a person can be counted.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from flask import current_app
from sqlalchemy import Select, delete, func, insert, or_, select, update

from jobs.leases import Leasable
from jobs.outbox import Backlog
from jobs.worker import run_after_response
from keys.sealing import Sealer
from notices.models import Mail
from notices.server import MailServer
from storage import atomic, db, new_id, now
from storage.clock import DatabaseTime

JOB = "mails"
EXTENSION = "mails"
KEPT_AFTER_SENDING = timedelta(hours=24)
# Refusals of an address count for as long.
KEPT_AFTER_FAILING = timedelta(days=7)
# Whatever happens to the mail server, a row is not kept longer.
WAITS_AT_MOST = timedelta(days=14)
ROWS = Leasable(Mail.id, Mail.due_at, Mail.attempts)


class MailKind(StrEnum):
    """The subjects of mails; text.py has the words of each."""

    NEW_DEVICE = "new_device"
    IDENTITY_LINKED = "identity_linked"
    IDENTITY_REMOVED = "identity_removed"
    CONNECTED_TO_APP = "connected_to_app"
    MERGED = "merged"
    EMAIL_CHANGED = "email_changed"
    DOWNLOADED = "downloaded"
    DELETION_PLANNED = "deletion_planned"
    DELETED = "deleted"
    PROVIDER_TOOK_BACK = "provider_took_back"
    PROVIDER_SUSPENDED = "provider_suspended"
    PROVIDER_REMOVED = "provider_removed"
    INVITED = "invited"
    APPROVED = "approved"
    WAITING = "waiting"
    SIGN_IN_AGAIN = "sign_in_again"
    MERGE_HELP = "merge_help"
    MORE_HAPPENED = "more_happened"
    WEBHOOK_OFF = "webhook_off"
    TEST = "test"


# These go out although the account is gone.
OUTLIVING = frozenset({MailKind.DELETED})


@dataclass(frozen=True)
class Content:
    """The sealed part of a row: the address, and the facts that its text needs."""

    to: str
    data: Mapping[str, str]


def server() -> MailServer | None:
    """Return the mail server of this site; None while mail is off."""
    return cast(MailServer | None, current_app.extensions.get(EXTENSION))


def is_on() -> bool:
    """Tell whether this site sends mail."""
    return server() is not None


def plan(
    kind: MailKind,
    to: Sequence[str],
    *,
    user_id: str | None,
    data: Mapping[str, str],
    notice_id: str | None = None,
) -> None:
    """Plan a mail to each of these addresses; nothing while mail is off. Call within the atomic
    verb of the event.

    ``user_id``: the person it is about; with them their waiting mails are deleted. ``data``: plain
    texts and ISO times that the text of this kind needs (text.py): ``provider``, ``device``,
    ``at``, ``app``, ``date``, and ``path``, the one link, below PUBLIC_URL.
    """
    if not is_on():
        return
    for address in dict.fromkeys(to):
        _add(kind, Content(address, data), None if kind in OUTLIVING else user_id, notice_id)
        run_after_response(JOB)


def _add(kind: MailKind, content: Content, user_id: str | None, notice_id: str | None) -> None:
    row_id = new_id()
    held = {"to": content.to, "data": dict(content.data)}
    values = {
        "id": row_id,
        "user_id": user_id,
        "notice_id": notice_id,
        "kind": kind.value,
        "address_hash": hash_address(content.to),
        "sealed": sealer().seal(held, _bound_to(row_id)),
        "created_at": now(),
        "due_at": DatabaseTime(),
        "attempts": 0,
        "state": "waiting",
        "detail": "",
    }
    db.session.execute(insert(Mail).values(**values))


def sealer() -> Sealer:
    return cast(Sealer, current_app.extensions["sealer"])


def bound_to(row: Mail) -> str:
    """Return the binding of a row's sealed content: it opens in this row only."""
    return _bound_to(row.id)


def _bound_to(row_id: str) -> str:
    return f"mail:{row_id}"


def content_of(row: Mail) -> Content:
    """Open the content of a waiting row. Raises TokenUnreadable."""
    held: dict[str, Any] = sealer().open(row.sealed or "", bound_to(row))
    return Content(held["to"], held["data"])


def hash_address(address: str) -> str:
    """Return a name of an address that tells nothing about it."""
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(key, f"mail\n{address.lower()}".encode(), hashlib.sha256).hexdigest()


def count_since(user_id: str, moment: datetime, *kinds: MailKind) -> int:
    """Count the notices about a person since a moment of the last day, of these kinds or of all;
    the mails of one notice count once."""
    which = [Mail.user_id == user_id, Mail.created_at > moment]
    if kinds:
        which.append(Mail.kind.in_([kind.value for kind in kinds]))
    notice = func.count(func.distinct(func.coalesce(Mail.notice_id, Mail.id)))
    return db.session.scalar(select(notice).where(*which)) or 0


def was_planned(kind: MailKind, moment: datetime) -> bool:
    """Tell whether a mail of this kind was planned since a moment of the last day."""
    query = select(Mail.id).where(Mail.kind == kind.value, Mail.created_at > moment).limit(1)
    return db.session.scalar(query) is not None


def move(from_user_id: str, to_user_id: str) -> None:
    """Make the mails about one person those about another, whose account takes theirs in. Call
    within the atomic verb that merges."""
    mine = update(Mail).where(Mail.user_id == from_user_id).values(user_id=to_user_id)
    db.session.execute(mine.execution_options(synchronize_session=False))


def waiting() -> Backlog:
    """Return how many mails wait, and since when."""
    query = select(func.count(), func.min(Mail.created_at)).where(Mail.state == "waiting")
    count, oldest = db.session.execute(query).one()
    return Backlog(count, max(0.0, (now() - oldest).total_seconds()) if oldest else 0.0)


def ended() -> dict[str, int]:
    """Count the rows that ended and are kept, by how: sent, undeliverable or given_up."""
    query = select(Mail.state, func.count()).where(Mail.ended_at.is_not(None))
    query = query.group_by(Mail.state).order_by(Mail.state)
    return {row[0]: row[1] for row in db.session.execute(query)}


def expired() -> Select[str]:
    """Select the ids of rows that are kept no longer."""
    moment = now()
    return select(Mail.id).where(
        or_(
            (Mail.state == "sent") & (Mail.ended_at < moment - KEPT_AFTER_SENDING),
            (Mail.state != "sent") & (Mail.ended_at < moment - KEPT_AFTER_FAILING),
            (Mail.state == "waiting") & (Mail.created_at < moment - WAITS_AT_MOST),
        )
    )


@atomic
def purge(ids: Sequence[str]) -> None:
    """Delete expired rows, by id."""
    db.session.execute(delete(Mail).where(Mail.id.in_(ids)))
