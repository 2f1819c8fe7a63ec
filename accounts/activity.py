"""What happened to an account: the only writer of events, kept for 90 days."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import Select, delete, func, insert, select, tuple_, update

from models import Event
from storage import atomic, db, is_id, new_id, now
from storage.compiled import CompiledStatement

log = structlog.get_logger()

KEPT_DAYS = 90
PAGE_SIZE = 25
_ADD = CompiledStatement(insert(Event))


@dataclass(frozen=True)
class Caller:
    """Who a request comes from, as far as the network says."""

    address: str = ""
    user_agent: str = ""
    # The reference that the page and the log line of this request share.
    reference: str = ""


# An operator at the command line; views/describe.py has words for it.
COMMAND_LINE = Caller(user_agent="command line")


def network(address: str) -> str:
    """Whom to count for: an IPv4 address, or the /64 that an IPv6 user owns whole."""
    if ":" not in address:
        return address or "unknown"
    return str(ipaddress.ip_network((address, 64), strict=False))


@atomic
def record(
    user_id: str,
    kind: str,
    caller: Caller,
    *,
    provider: str = "",
    reason: str = "",
    detail: str = "",
) -> None:
    """Add a line to somebody's activity, and one like it to the log.

    Kinds: signed_in, signed_out, sessions_ended, refused, linked, unlinked, merged,
    confirmed, email_changed, renamed, downloaded, switched_off, switched_on.
    """
    log.info(kind, user=user_id, provider=provider, reason=reason, address=caller.address)
    _ADD.run(
        id=new_id(),
        user_id=user_id,
        at=now(),
        kind=kind,
        provider=provider,
        reason=reason,
        detail=detail[:300],
        address=caller.address,
        user_agent=caller.user_agent[:256],
        reference=caller.reference,
    )


def recent(user_id: str, before: str | None = None, limit: int = PAGE_SIZE) -> Sequence[Event]:
    """The newest events first; those older than the event with id ``before``, if it is theirs."""
    query = select(Event).where(Event.user_id == user_id)
    query = query.where(Event.at > now() - timedelta(days=KEPT_DAYS))
    last = db.session.get(Event, before) if before and is_id(before) else None
    if last and last.user_id == user_id:
        query = query.where(tuple_(Event.at, Event.id) < tuple_(last.at, last.id))
    query = query.order_by(Event.at.desc(), Event.id.desc()).limit(limit)
    return db.session.scalars(query).all()


def all_of(user_id: str) -> Sequence[Event]:
    """Everything that is kept of a person's activity, the newest first."""
    query = select(Event).where(Event.user_id == user_id)
    return db.session.scalars(query.order_by(Event.at.desc(), Event.id.desc())).all()


def count(user_id: str) -> int:
    """How many lines a person's activity has."""
    query = select(func.count()).select_from(Event).where(Event.user_id == user_id)
    return db.session.scalar(query) or 0


def move(from_user_id: str, to_user_id: str) -> None:
    """Give one account's activity to another. Call within an atomic verb."""
    db.session.execute(
        update(Event).where(Event.user_id == from_user_id).values(user_id=to_user_id)
    )


def expired() -> Select[str]:
    """The ids of what is older than the promise."""
    return select(Event.id).where(Event.at < now() - timedelta(days=KEPT_DAYS))


@atomic
def purge(ids: Sequence[str]) -> None:
    """Forget what is older than the promise."""
    db.session.execute(delete(Event).where(Event.id.in_(ids)))
