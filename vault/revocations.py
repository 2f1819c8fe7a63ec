"""Revocations: an outbox of tokens to revoke at their providers, and the job that works through it.

A row is written in the transaction that removes its identity, and deleted when the provider has
revoked the token. A process leases a row by putting its due time off, with an UPDATE that only one
can win. No lock is held while the provider is asked, and a process that dies counts as one more
failed attempt.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal, cast

import structlog
from flask import Flask
from sqlalchemy import CursorResult, delete, func, select, update

from errors import ProviderError, TokenUnreadable
from jobs.worker import Worker, leave
from models import Identity, OAuth, Revocation
from providers.protocols.connector import Connector
from storage import atomic, db, now
from vault import tokens

log = structlog.get_logger()

# Each attempt waits twice as long as the one before; the first longer than a request can last.
FIRST_DELAY_SECONDS = 60
MAX_DELAY_SECONDS = 6 * 3600
GIVEN_UP_AFTER_DAYS = 14
# How often a process that serves requests checks for rows that others left behind.
LOOK_EVERY_SECONDS = 60

End = Literal["revoked", "linked_again", "unsupported", "unreadable", "postponed", "given_up"]
Connectors = Mapping[str, Connector]


def plan(identity: Identity) -> None:
    """Plan the revocation of an identity's token, if there is one. Call within the atomic verb that
    removes the identity."""
    token = tokens.read(identity)
    if token is None:
        return
    row = Revocation(provider=identity.provider, issuer=identity.issuer, sealed="")
    db.session.add(row)
    db.session.flush()
    held = {"subject": identity.subject, "token": token}
    row.sealed = tokens.sealer().seal(held, bound_to(row))
    leave("revocations")


def bound_to(row: Revocation) -> str:
    """Return the binding of a row's sealed token: it opens in this row only."""
    return f"revocation:{row.id}:{row.provider}:{row.issuer}"


def work_off(connectors: Connectors) -> list[End]:
    """Try every due row once; return how each ended."""
    ends = []
    while row := _take():
        ends.append(_try(row, connectors))
    return ends


@atomic
def _take() -> Revocation | None:
    """Lease the next due row, so that no other process takes it meanwhile."""
    due = select(Revocation).where(Revocation.due_at <= now()).order_by(Revocation.due_at)
    for row in db.session.scalars(due.limit(10).execution_options(populate_existing=True)).all():
        delay = min(FIRST_DELAY_SECONDS * 2**row.attempts, MAX_DELAY_SECONDS)
        mine = (
            update(Revocation)
            .where(Revocation.id == row.id, Revocation.attempts == row.attempts)
            .values(attempts=row.attempts + 1, due_at=now() + timedelta(seconds=delay))
            .execution_options(synchronize_session=False)
        )
        if cast(CursorResult[Any], db.session.execute(mine)).rowcount == 1:
            return row
    return None


def _try(row: Revocation, connectors: Connectors) -> End:
    try:
        end = _give_back(row, connectors)
        detail = ""
    except ProviderError as error:
        end, detail = "postponed", error.detail
        if row.created_at < now() - timedelta(days=GIVEN_UP_AFTER_DAYS):
            end = "given_up"
    if end != "postponed":
        _remove(row.id)
    write = {"postponed": log.warning, "given_up": log.error}.get(end, log.info)
    write("revocation", provider=row.provider, end=end, attempt=row.attempts + 1, detail=detail)
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


def waiting() -> int:
    """Return how many revocations are pending."""
    return db.session.scalar(select(func.count()).select_from(Revocation)) or 0


def seconds_to_next() -> float | None:
    """Return the seconds until a row is due; None if there is none."""
    due_at = db.session.scalar(select(func.min(Revocation.due_at)))
    return None if due_at is None else max(0.0, (due_at - now()).total_seconds())


def worker(app: Flask, connectors: Connectors) -> Worker:
    def work() -> float | None:
        work_off(connectors)
        return seconds_to_next()

    return Worker(app, "revocations", work, LOOK_EVERY_SECONDS)
