"""The activity of an account: the only writer of events, which are kept for 90 days."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from sqlalchemy import Select, delete, func, insert, select, tuple_, update

from models import Event
from storage import atomic, db, is_id, new_id, now
from storage.compiled import CompiledStatement

log = structlog.get_logger()

KEPT_DAYS = 90
PAGE_SIZE = 25
_ADD = CompiledStatement(insert(Event))
# A row of a list: its time, and the id that orders rows of the same time.
Position = tuple[datetime, str]


class EventKind(StrEnum):
    """A kind of event; the values are stored, logged and exported."""

    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    SESSIONS_ENDED = "sessions_ended"
    REFUSED = "refused"
    LINK_REFUSED = "link_refused"
    REAUTH_REFUSED = "proof_refused"
    REAUTHENTICATED = "confirmed"
    LINKED = "linked"
    UNLINKED = "unlinked"
    MERGED = "merged"
    IDENTITY_MOVED = "identity_moved"
    EMAIL_CHANGED = "email_changed"
    RENAMED = "renamed"
    DOWNLOADED = "downloaded"
    APPROVED = "approved"
    DISABLED = "switched_off"
    ENABLED = "switched_on"
    APP_ALLOWED = "app_allowed"
    APP_REMOVED = "app_removed"
    APP_REUSED = "app_reused"
    GROUP_JOINED = "group_joined"
    GROUP_LEFT = "group_left"
    ROLE_GAINED = "role_gained"
    ROLE_LOST = "role_lost"
    GATE_REFUSED = "gate_refused"
    ACCESS_LOST = "access_lost"
    ADMIN_MADE = "admin_made"
    ADMIN_UNMADE = "admin_unmade"
    # A provider reported something; the reason is the kind of its notice.
    PROVIDER_NOTICE = "provider_notice"
    # The person said that something was not them; the reason is the kind of the alarm.
    NOT_ME = "not_me"
    RELEASED = "released"
    SUSPENSION_LIFTED = "suspension_lifted"
    DELETION_PLANNED = "deletion_planned"
    KEPT = "kept"


@dataclass(frozen=True)
class Caller:
    """The sender of a request, as far as the network knows."""

    address: str = ""
    user_agent: str = ""
    # The reference that the page and the log line of this request share.
    reference: str = ""
    # The administrator who acts for others (accounts/admin_acts.py): user id and name.
    admin_id: str | None = None
    admin_name: str = ""
    # Whether it is an operator or an administrator, who may act on held accounts.
    is_operator: bool = False


# An operator at the command line; web/text has words for it.
COMMAND_LINE = Caller(user_agent="command line", is_operator=True)
# The job that checks the operator's rules again; likewise.
ACCESS_RULES = Caller(user_agent="access rules")
# The job that deletes what is due.
HOUSEKEEPING = Caller(user_agent="housekeeping", is_operator=True)
# A provider that reports something by itself.
PROVIDER = Caller(user_agent="provider")


def network(address: str) -> str:
    """Return what limits count by: an IPv4 address, or the /64 that an IPv6 user owns."""
    if ":" not in address:
        return address or "unknown"
    return str(ipaddress.ip_network((address, 64), strict=False))


@atomic
def record(
    user_id: str,
    kind: EventKind,
    caller: Caller,
    *,
    provider: str = "",
    reason: str = "",
    detail: str = "",
) -> None:
    """Add an event to a person's activity, and a line of the same name to the log.

    ``reason``: the reason of a decision or the code of a refusal. ``detail``: what web/text shows
    with it, cut at 300 characters. The person learns an administrator's name only.
    """
    by = {"admin": caller.admin_id} if caller.admin_id else {}
    about = {"user": user_id, "provider": provider, "reason": reason, "address": caller.address}
    log.info(kind.value, **about, **by)
    _ADD.run(
        id=new_id(),
        user_id=user_id,
        at=now(),
        kind=kind.value,
        provider=provider,
        reason=reason,
        detail=detail[:300],
        address="" if by else caller.address,
        user_agent="" if by else caller.user_agent[:256],
        reference=caller.reference,
        administrator=caller.admin_name[:200] if by else None,
    )


def recent(user_id: str, before: str | None = None, limit: int = PAGE_SIZE) -> Sequence[Event]:
    """Return a person's events, newest first.

    ``before``: the id of an event; only older ones are returned.
    """
    query = _kept(user_id)
    last = db.session.get(Event, before) if before and is_id(before) else None
    if last and last.user_id == user_id:
        query = query.where(tuple_(Event.at, Event.id) < tuple_(last.at, last.id))
    query = query.order_by(Event.at.desc(), Event.id.desc()).limit(limit)
    return db.session.scalars(query).all()


def page(user_id: str, *, after: Position | None, limit: int) -> Sequence[Event]:
    """Return a person's events, newest first; ``after``: time and id of the last one seen."""
    query = _kept(user_id)
    if after is not None:
        query = query.where(tuple_(Event.at, Event.id) < tuple_(*after))
    return db.session.scalars(query.order_by(Event.at.desc(), Event.id.desc()).limit(limit)).all()


def _kept(user_id: str) -> Select[Event]:
    return select(Event).where(
        Event.user_id == user_id, Event.at > now() - timedelta(days=KEPT_DAYS)
    )


def across(
    *,
    kind: str = "",
    provider: str = "",
    reference: str = "",
    before: str | Position | None,
    limit: int,
) -> Sequence[Event]:
    """Return events of everybody, newest first: of this kind, provider and reference, as far as
    they are given. ``before``: an event, by id or by time and id; only older ones are returned."""
    query = select(Event).where(Event.at > now() - timedelta(days=KEPT_DAYS))
    asked = {Event.kind: kind, Event.provider: provider, Event.reference: reference}
    if not all(value.isprintable() for value in asked.values()):
        return []
    query = query.where(*(column == value for column, value in asked.items() if value))
    if isinstance(before, str):
        last = db.session.get(Event, before) if is_id(before) else None
        before = (last.at, last.id) if last else None
    if before is not None:
        query = query.where(tuple_(Event.at, Event.id) < tuple_(*before))
    return db.session.scalars(query.order_by(Event.at.desc(), Event.id.desc()).limit(limit)).all()


def all_of(user_id: str) -> Sequence[Event]:
    """Return all kept events of a person, newest first."""
    query = select(Event).where(Event.user_id == user_id)
    return db.session.scalars(query.order_by(Event.at.desc(), Event.id.desc())).all()


def count(user_id: str) -> int:
    """Return how many events a person has."""
    query = select(func.count()).select_from(Event).where(Event.user_id == user_id)
    return db.session.scalar(query) or 0


def move(from_user_id: str, to_user_id: str) -> None:
    """Move one account's activity to another. Call within an atomic verb."""
    db.session.execute(
        update(Event).where(Event.user_id == from_user_id).values(user_id=to_user_id)
    )


def expired() -> Select[str]:
    """Select the ids of events older than KEPT_DAYS."""
    return select(Event.id).where(Event.at < now() - timedelta(days=KEPT_DAYS))


@atomic
def purge(ids: Sequence[str]) -> None:
    """Delete expired events, by id."""
    db.session.execute(delete(Event).where(Event.id.in_(ids)))
