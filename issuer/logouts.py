"""Back-channel logouts: an outbox of what applications are told, and the job that tells them.

A row is written in the transaction that ends a session, and deleted when its application has
taken the logout token (OpenID Connect Back-Channel Logout 2.5) or never will. A process leases a
row by putting its due time off; no lock is held while an application is asked, and each row is
sent by a thread of its own, so that a slow application delays no other.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

import structlog
from sqlalchemy import ColumnElement, Select, delete, func, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute

from issuer import clients
from issuer.clients import Client
from issuer.models import ClientRow, GrantRow, LogoutRow
from jobs.leases import Leasable, lease_row
from jobs.outbox import Backlog, Part, backlog, make_due
from jobs.parallel import Outbox
from jobs.worker import run_after_response
from storage import atomic, db, new_id, now
from storage.clock import DatabaseTime

log = structlog.get_logger()

JOB = "logouts"
# The pauses before the second, third and fourth attempt; then each is twice the one before.
DELAYS_SECONDS = (5, 30, 120)
MAX_DELAY_SECONDS = 6 * 3600
GIVEN_UP_AFTER_DAYS = 2
# Longer than one attempt can last.
LEASE_SECONDS = 60
ROWS = Leasable(LogoutRow.id, LogoutRow.due_at, LogoutRow.attempts)

SessionColumn = InstrumentedAttribute[str | None]
End = Literal["delivered", "postponed", "given_up"]


class Sender(Protocol):
    """Sends a logout token; returns the status of the answer. Raises SendFailed."""

    def __call__(self, uri: str, form: Mapping[str, str]) -> int: ...


MakeToken = Callable[["Logout"], str]


class SendFailed(Exception):
    """An application did not answer."""


@dataclass(frozen=True)
class Logout:
    """A logout to deliver, with what its client needs."""

    id: str
    sid: str | None
    sub: str
    created_at: datetime
    attempts: int
    client: Client


def plan(client: Client, user_id: str, sid: str | None) -> None:
    """Plan to tell a client that a person, or one sign-in of theirs, ends. Call within the atomic
    verb that ends it."""
    if client.backchannel_uri:
        _add([(client.id, client.subject_of(user_id), sid)])


def plan_for_sessions(sids: Select[str | None]) -> None:
    """Plan to tell all clients of sign-ins that these end. Call within the atomic verb."""
    _plan(GrantRow.sid, GrantRow.sid.in_(sids))


def plan_for_person(user_id: str) -> None:
    """Plan to tell all clients of a person that they are signed out everywhere. Call within the
    atomic verb."""
    _plan(None, GrantRow.user_id == user_id)


def plan_for_grants(*which: ColumnElement[bool]) -> None:
    """Plan to tell the clients of grants that the sign-in of each ends. Call within the atomic
    verb."""
    _plan(GrantRow.sid, *which)


def _plan(sid: SessionColumn | None, *which: ColumnElement[bool]) -> None:
    columns = [GrantRow.user_id] if sid is None else [GrantRow.user_id, GrantRow.sid]
    query = (
        select(*clients.columns(), *columns)
        .join(ClientRow, ClientRow.id == GrantRow.client_id)
        .where(ClientRow.backchannel_uri.is_not(None), GrantRow.code_used_at.is_not(None), *which)
    )
    count = len(columns)
    found: dict[tuple[str, str, str | None], None] = {}
    for row in db.session.execute(query):
        client, ended = Client(*row[:-count]), row[-count:]
        key = (client.id, client.subject_of(ended[0]), ended[1] if count == 2 else None)
        found[key] = None
    _add(found)


def _add(planned: Iterable[tuple[str, str, str | None]]) -> None:
    for client_id, sub, sid in planned:
        row = {"id": new_id(), "client_id": client_id, "sub": sub, "sid": sid}
        due = {"created_at": now(), "due_at": DatabaseTime(), "attempts": 0}
        db.session.execute(insert(LogoutRow).values(**row, **due))
        run_after_response(JOB)


def outbox(make_token: MakeToken, send: Sender) -> Outbox[Logout]:
    """Return the outbox for the job that works it off."""
    return Outbox(
        JOB,
        _clients_due,
        lease_next,
        lambda logout: deliver(logout, make_token, send),
        seconds_to_next,
    )


def deliver_due(make_token: MakeToken, send: Sender) -> list[End]:
    """Try every due row once, one after the other; return how each ended."""
    ends = []
    for client_id in _clients_due():
        while logout := lease_next(client_id):
            ends.append(deliver(logout, make_token, send))
    return ends


def _clients_due() -> Sequence[str]:
    found = db.session.scalars(select(LogoutRow.client_id).where(ROWS.is_free).distinct()).all()
    db.session.commit()
    return found


@atomic
def lease_next(client_id: str) -> Logout | None:
    """Lease the next due logout of a client, for longer than an attempt can last."""
    due = select(LogoutRow).where(LogoutRow.client_id == client_id, ROWS.is_free)
    due = due.order_by(LogoutRow.due_at).limit(10).execution_options(populate_existing=True)
    client = clients.get(client_id)
    for row in db.session.scalars(due).all():
        if lease_row(ROWS, row.id, row.attempts, LEASE_SECONDS):
            return Logout(row.id, row.sid, row.sub, row.created_at, row.attempts + 1, client)
    return None


def deliver(logout: Logout, make_token: MakeToken, send: Sender) -> End:
    """Tell one application once; it has taken the logout with 200 or 204."""
    detail = ""
    try:
        form = {"logout_token": make_token(logout)}
        db.session.remove()  # no connection is held while the application is asked
        status = send(logout.client.backchannel_uri or "", form)
        end: End = "delivered" if status in (200, 204) else "postponed"
        detail = "" if end == "delivered" else f"status {status}"
    except SendFailed as error:
        end, detail = "postponed", str(error)
    if end == "postponed" and logout.created_at < now() - timedelta(days=GIVEN_UP_AFTER_DAYS):
        end = "given_up"
    _finish(logout, end)
    write = {"postponed": log.warning, "given_up": log.error}.get(end, log.info)
    write("logout", client=logout.client.id, end=end, attempt=logout.attempts, detail=detail)
    return end


@atomic
def _finish(logout: Logout, end: End) -> None:
    mine = (LogoutRow.id == logout.id, LogoutRow.attempts == logout.attempts)
    if end == "postponed":
        due_at = DatabaseTime(delay_after(logout.attempts))
        db.session.execute(update(LogoutRow).where(*mine).values(due_at=due_at))
    else:
        db.session.execute(delete(LogoutRow).where(*mine))


def delay_after(attempts: int) -> float:
    """Return the pause after so many attempts."""
    if attempts <= len(DELAYS_SECONDS):
        return DELAYS_SECONDS[attempts - 1]
    doubled = DELAYS_SECONDS[-1] * 2 ** min(attempts - len(DELAYS_SECONDS), 20)
    return float(min(doubled, MAX_DELAY_SECONDS))


def waiting() -> Backlog:
    """Return how many logouts are pending, and since when."""
    return backlog(LogoutRow.created_at)


def by_client() -> list[Part]:
    """Return what is pending, by the name that people read of a client."""
    query = select(
        func.coalesce(ClientRow.document_url, ClientRow.name),
        func.count(),
        func.min(LogoutRow.created_at),
        func.min(LogoutRow.due_at),
        func.max(LogoutRow.attempts),
    )
    query = query.join(ClientRow, ClientRow.id == LogoutRow.client_id)
    query = query.group_by(ClientRow.id, ClientRow.document_url, ClientRow.name)
    return [Part(*row) for row in db.session.execute(query.order_by(ClientRow.name))]


@atomic
def retry() -> int:
    """Make every row due that waits for its next attempt; return how many. One that is being tried
    goes on."""
    count = make_due(ROWS, lambda _attempts, seconds_left: seconds_left > LEASE_SECONDS)
    run_after_response(JOB)
    return count


def seconds_to_next() -> float | None:
    """Return how long until a row is due; None if there are none."""
    query = select(func.min(LogoutRow.due_at), DatabaseTime())
    due_at, database_now = db.session.execute(query).one()
    db.session.commit()
    return None if due_at is None else max(0.0, (due_at - database_now).total_seconds())
