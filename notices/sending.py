"""Sends waiting mails, one after the other over one connection.

A row is leased for longer than an attempt can last; no database connection is held while the server
is asked. A server that is away, or refuses us, ends the run: the others wait for it too. At least
once: a process that dies after the server took a mail and before its row says so sends it twice.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.exc import SQLAlchemyError

from errors import TokenUnreadable
from jobs.leases import lease_row
from jobs.outbox import Part
from jobs.worker import run_after_response
from notices import mails, messages
from notices.mails import JOB, ROWS, Content, MailKind
from notices.models import Mail
from notices.server import MailServer
from notices.smtp import AddressRefused, Connection, Failed, ServerAway, Unwelcome
from storage import atomic, db, new_id, now
from storage.clock import DatabaseTime
from telemetry import metrics

log = structlog.get_logger()

FIRST_DELAY_SECONDS = 60
MAX_DELAY_SECONDS = 6 * 3600
# How long a server that is away is left alone.
PAUSE_SECONDS = 60
GIVEN_UP_AFTER = timedelta(days=3)
# An address is dead after so many refusals within mails.KEPT_AFTER_FAILING.
DEAD_AFTER = 3
# Answers of the server that one mail can wait for, connection and sign-in included.
ANSWERS = 20

End = Literal["sent", "postponed", "undeliverable", "given_up"]
# Notes that nothing can be sent to an address; within the transaction.
MarkDead = Callable[[str], None]


@dataclass(frozen=True)
class Leased:
    """A mail that this process tries now."""

    id: str
    kind: MailKind
    content: Content | None
    created_at: datetime
    attempts: int


@dataclass
class Postman:
    """Works through the outbox of one process; pauses while the server is away."""

    server: MailServer
    mark_dead: MarkDead
    _paused_until: datetime | None = field(default=None, init=False)

    def work(self) -> float | None:
        """Send what is due; return the seconds until there is work again."""
        if self._paused_until and (left := (self._paused_until - now()).total_seconds()) > 0:
            return left
        self.send_due()
        seconds = seconds_to_next()
        if seconds is not None and self._paused_until:
            return max(seconds, float(PAUSE_SECONDS))
        return seconds

    def send_due(self) -> list[End]:
        """Try every due mail once, as long as the server takes them; return how each ended."""
        ends: list[End] = []
        self._paused_until = None
        leased = lease_next(self.server.seconds)
        if leased is None:
            return ends
        connection: Connection | None = None
        try:
            while leased:
                connection, end = self._try(leased, connection)
                ends.append(end)
                leased = None if self._paused_until else lease_next(self.server.seconds)
        finally:
            if connection:
                connection.close()
        return ends

    def _try(self, leased: Leased, connection: Connection | None) -> tuple[Connection | None, End]:
        """Send one mail over this connection, or a new one; returns what goes on."""
        error: Exception | None = None
        try:
            message = messages.build(leased, self.server)
            connection = connection or Connection(self.server)
            connection.send(message, messages.sender_address(self.server), message["To"])
        except Failed as failed:
            error = failed
        except SQLAlchemyError:
            raise
        except Exception as fault:
            log.exception("outbox_failed", work=JOB)
            error = fault
        if isinstance(error, ServerAway):
            self._paused_until = now() + timedelta(seconds=PAUSE_SECONDS)
            if connection:
                connection.close()
            connection = None
        return connection, self._end(leased, error)

    def _end(self, leased: Leased, error: Exception | None) -> End:
        end = _end_of(leased, error)
        detail = str(error)[:64] if isinstance(error, Failed) else type(error).__name__
        _finish(leased, end, "" if error is None else detail, error, self.mark_dead)
        metrics.count_mail(leased.kind.value, end)
        is_loud = end == "given_up" or isinstance(error, Unwelcome)
        write = log.error if is_loud else log.warning if error else log.info
        facts = {"kind": leased.kind.value, "end": end, "attempt": leased.attempts}
        write("mail", **facts, detail="" if error is None else detail)
        return end


def send_test(address: str, server: MailServer) -> None:
    """Send a test to an address now. Raises Failed."""
    test = Leased(new_id(), MailKind.TEST, Content(address, {}), now(), 1)
    message = messages.build(test, server)
    connection = Connection(server)
    try:
        connection.send(message, messages.sender_address(server), message["To"])
    finally:
        connection.close()


def _end_of(leased: Leased, error: Exception | None) -> End:
    if error is None:
        return "sent"
    if isinstance(error, AddressRefused):
        return "undeliverable"
    # While the server refuses us, all is kept: the operator has to act.
    is_old = leased.created_at < now() - GIVEN_UP_AFTER
    return "given_up" if is_old and not isinstance(error, Unwelcome) else "postponed"


@atomic
def lease_next(seconds: float) -> Leased | None:
    """Lease the next mail that is due, for longer than an attempt can last; None if none is.

    ``seconds``: how long each answer of the server may take.
    """
    # A later release may have written kinds that this one does not know.
    known = Mail.kind.in_([kind.value for kind in MailKind])
    due = select(Mail).where(Mail.state == "waiting", ROWS.is_free, known)
    due = due.order_by(Mail.due_at).limit(10)
    for row in db.session.scalars(due.execution_options(populate_existing=True)).all():
        if lease_row(ROWS, row.id, row.attempts, ANSWERS * seconds):
            db.session.execute(
                update(Mail)
                .where(Mail.id == row.id)
                .values(detail="")
                .execution_options(synchronize_session=False)
            )
            kind = MailKind(row.kind)
            return Leased(row.id, kind, _open(row), row.created_at, row.attempts + 1)
    return None


def _open(row: Mail) -> Content | None:
    try:
        return mails.content_of(row)
    except TokenUnreadable:
        return None


@atomic
def _finish(
    leased: Leased, end: End, detail: str, error: Exception | None, mark_dead: MarkDead
) -> None:
    mine = update(Mail).where(Mail.id == leased.id, Mail.attempts == leased.attempts)
    mine = mine.execution_options(synchronize_session=False)
    if end == "postponed":
        delay = PAUSE_SECONDS if isinstance(error, Unwelcome) else delay_after(leased.attempts)
        db.session.execute(mine.values(due_at=DatabaseTime(delay), detail=detail))
        return
    db.session.execute(mine.values(state=end, ended_at=now(), sealed=None, detail=detail))
    if end == "undeliverable" and leased.content and _is_dead(leased.content.to):
        mark_dead(leased.content.to)


def _is_dead(address: str) -> bool:
    """Tell whether an address was refused too often."""
    query = select(func.count()).where(
        Mail.state == "undeliverable",
        Mail.address_hash == mails.hash_address(address),
        Mail.ended_at > now() - mails.KEPT_AFTER_FAILING,
    )
    return (db.session.scalar(query) or 0) >= DEAD_AFTER


def delay_after(attempts: int) -> float:
    """Return the pause after so many attempts."""
    return float(min(FIRST_DELAY_SECONDS * 2 ** min(attempts - 1, 20), MAX_DELAY_SECONDS))


def seconds_to_next() -> float | None:
    """Return how long until a mail is due; None if none waits."""
    query = select(func.min(Mail.due_at), DatabaseTime()).where(Mail.state == "waiting")
    due_at, database_now = db.session.execute(query).one()
    db.session.commit()
    return None if due_at is None else max(0.0, (due_at - database_now).total_seconds())


def by_kind() -> list[Part]:
    """Return what waits, by kind of mail."""
    query = select(
        Mail.kind,
        func.count(),
        func.min(Mail.created_at),
        func.min(Mail.due_at),
        func.max(Mail.attempts),
    )
    query = query.where(Mail.state == "waiting").group_by(Mail.kind).order_by(Mail.kind)
    return [Part(*row) for row in db.session.execute(query)]


@atomic
def retry() -> int:
    """Make every mail due that waits for its next attempt; return how many. One that is being tried
    goes on."""
    query = select(Mail.id).where(Mail.state == "waiting", ~ROWS.is_free, Mail.detail != "")
    idle = db.session.scalars(query).all()
    for row_id in idle:
        due = update(Mail).where(Mail.id == row_id, Mail.detail != "")
        due = due.values(due_at=DatabaseTime()).execution_options(synchronize_session=False)
        db.session.execute(due)
    run_after_response(JOB)
    return len(idle)
