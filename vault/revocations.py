"""Revocations: an outbox of tokens to revoke at their providers, and the job that works through it.

A row is written in the transaction that removes its identity, and deleted when the provider has
revoked the token. A process leases a row by putting its due time off, with an UPDATE that only one
can win. No lock is held while the provider is asked, and a process that dies counts as one more
failed attempt.
"""

from collections.abc import Mapping
from typing import Literal

import structlog
from sqlalchemy import delete, func, insert, select

from errors import ProviderError, TokenUnreadable
from jobs.leases import Leasable, lease_row
from jobs.outbox import Attempt, Backlog, Part, backlog, make_due
from jobs.registry import Jobs
from jobs.worker import run_after_response
from models import Identity, OAuth
from providers.protocols.connector import Connector
from storage import atomic, db, new_id
from storage.clock import DatabaseTime
from vault import tokens
from vault.models import Revocation

log = structlog.get_logger()

# Each attempt waits twice as long as the one before; the first longer than a request can last.
FIRST_DELAY_SECONDS = 60
MAX_DELAY_SECONDS = 6 * 3600
ROWS = Leasable(Revocation.id, Revocation.due_at, Revocation.attempts)

End = Literal["revoked", "linked_again", "unsupported", "unreadable", "postponed", "given_up"]
Connectors = Mapping[str, Connector]


def plan(identity: Identity) -> None:
    """Plan the revocation of an identity's token, if there is one. Call within the atomic verb that
    removes the identity."""
    token = tokens.read(identity)
    if token is None:
        return
    row = Revocation(id=new_id(), provider=identity.provider, issuer=identity.issuer)
    held = {"subject": identity.subject, "token": token}
    sealed = tokens.sealer().seal(held, bound_to(row))
    db.session.execute(
        insert(Revocation).values(
            id=row.id,
            provider=row.provider,
            issuer=row.issuer,
            sealed=sealed,
            due_at=DatabaseTime(),
        )
    )
    run_after_response("revocations")


def bound_to(row: Revocation) -> str:
    """Return the binding of a row's sealed token: it opens in this row only."""
    return f"revocation:{row.id}:{row.provider}:{row.issuer}"


def work_off(connectors: Connectors) -> list[End]:
    """Try every due row once; return how each ended."""
    ends = []
    while row := _lease_next():
        ends.append(_try(row, connectors))
    return ends


@atomic
def _lease_next() -> Revocation | None:
    """Lease the next row that is due, for longer than an attempt can last; None if there is none.

    The lease is also the pause before the next attempt.
    """
    due = select(Revocation).where(ROWS.is_free).order_by(Revocation.due_at)
    for row in db.session.scalars(due.limit(10).execution_options(populate_existing=True)).all():
        delay = min(FIRST_DELAY_SECONDS * 2**row.attempts, MAX_DELAY_SECONDS)
        if lease_row(ROWS, row.id, row.attempts, delay):
            return row
    return None


def _try(row: Revocation, connectors: Connectors) -> End:
    attempt = Attempt(
        lambda: _give_back(row, connectors), row.created_at, ProviderError, "revocations"
    )
    end = attempt.end or ("given_up" if attempt.is_given_up else "postponed")
    error = attempt.error
    detail = error.detail if isinstance(error, ProviderError) else error and type(error).__name__
    if end != "postponed":
        _remove(row.id)
    write = {"postponed": log.warning, "given_up": log.error}.get(end, log.info)
    number = row.attempts + 1
    write("revocation", provider=row.provider, end=end, attempt=number, detail=detail or "")
    return end


def _give_back(row: Revocation, connectors: Connectors) -> End:
    """Revoke the token of a row. Raises ProviderError if it must be tried again."""
    connector = connectors.get(row.provider)
    if connector is None or connector.identity_issuer != row.issuer:
        raise ProviderError("that provider is not on at the moment")
    try:
        held = tokens.sealer().open(row.sealed, bound_to(row))
    except TokenUnreadable:
        return "unreadable"
    if _is_linked(row, held["subject"]):
        # Most providers keep one authorization per person: revoking the old one would end the new.
        return "linked_again"
    if not connector.can_revoke():
        return "unsupported"
    connector.revoke(held["token"])
    return "revoked"


def _is_linked(row: Revocation, subject: str) -> bool:
    same = OAuth.provider == row.provider, OAuth.issuer == row.issuer, OAuth.subject == subject
    is_linked = db.session.scalar(select(OAuth.id).where(*same)) is not None
    db.session.commit()  # returns the connection before the provider is asked
    return is_linked


@atomic
def _remove(row_id: str) -> None:
    db.session.execute(delete(Revocation).where(Revocation.id == row_id))


def waiting() -> Backlog:
    """Return how many revocations are pending, and since when."""
    return backlog(Revocation.created_at)


def by_provider() -> list[Part]:
    """Return what is pending, by provider."""
    query = select(
        Revocation.provider,
        func.count(),
        func.min(Revocation.created_at),
        func.min(Revocation.due_at),
        func.max(Revocation.attempts),
    )
    query = query.group_by(Revocation.provider).order_by(Revocation.provider)
    return [Part(*row) for row in db.session.execute(query)]


@atomic
def retry() -> int:
    """Make every row due that waits for its next attempt; return how many. One that is being tried
    goes on."""
    count = make_due(ROWS, _is_idle)
    run_after_response("revocations")
    return count


def _is_idle(attempts: int, seconds_left: float) -> bool:
    """Tell whether the latest attempt of a row has ended, by what is left of its pause."""
    pause = min(FIRST_DELAY_SECONDS * 2 ** (attempts - 1), MAX_DELAY_SECONDS) if attempts else 0
    return attempts == 0 or seconds_left < pause - FIRST_DELAY_SECONDS


def seconds_to_next() -> float | None:
    """Return how long until a row is due; None if there are none."""
    query = select(func.min(Revocation.due_at), DatabaseTime())
    due_at, database_now = db.session.execute(query).one()
    return None if due_at is None else max(0.0, (due_at - database_now).total_seconds())


def register(jobs: Jobs, connectors: Connectors) -> None:
    """Have the application revoke tokens in the background."""

    def work() -> float | None:
        work_off(connectors)
        return seconds_to_next()

    jobs.add("revocations", work)
