"""The log of what administrators did: it is only added to, and kept for 180 days."""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

import structlog
from sqlalchemy import Select, delete, select, tuple_

from accounts.activity import COMMAND_LINE, Caller, Position
from accounts.models import AdminAct
from storage import atomic, db, is_id, now

log = structlog.get_logger()

KEPT_DAYS = 180
PAGE_SIZE = 50
# In place of an administrator's name, where a person used a link or merged accounts.
THEMSELVES = "themselves"


class Act(StrEnum):
    """A kind of act; the values are stored, and web/text/admin_acts.py has words for them."""

    ADMIN_MADE = "admin_made"
    ADMIN_UNMADE = "admin_unmade"
    LINK_MADE = "admin_link_made"
    DISABLED = "account_disabled"
    ENABLED = "account_enabled"
    DELETED = "account_deleted"
    APPROVED = "account_approved"
    REJECTED = "account_rejected"
    EXPORTED = "account_exported"
    SESSION_ENDED = "session_ended"
    SESSIONS_ENDED = "sessions_ended"
    IDENTITY_REMOVED = "identity_removed"
    IDENTITY_MOVED = "identity_moved"
    SUSPENSION_LIFTED = "suspension_lifted"
    HOLD_RELEASED = "hold_released"
    KEPT = "account_kept"
    GROUP_JOINED = "group_joined"
    GROUP_LEFT = "group_left"
    CLIENT_ADDED = "client_added"
    CLIENT_CHANGED = "client_changed"
    CLIENT_SECRET = "client_secret_rotated"  # noqa: S105 (a word)
    CLIENT_DISABLED = "client_disabled"
    CLIENT_ENABLED = "client_enabled"
    CLIENT_REMOVED = "client_removed"
    OUTBOX_RETRIED = "outbox_retried"
    INVITATION_ADDED = "invitation_added"
    INVITATION_REMOVED = "invitation_removed"
    GATE_ADDED = "gate_added"
    GATE_CHANGED = "gate_changed"
    GATE_REMOVED = "gate_removed"
    RESOURCE_ADDED = "resource_added"
    RESOURCE_REMOVED = "resource_removed"
    SIGN_IN_ASKED = "sign_in_asked"
    MERGE_OFFERED = "merge_offered"
    WEBHOOK_ADDED = "webhook_added"
    WEBHOOK_SECRET = "webhook_secret_rotated"  # noqa: S105 (a word)
    WEBHOOK_ENABLED = "webhook_enabled"
    WEBHOOK_REMOVED = "webhook_removed"
    WEBHOOK_REPLAYED = "webhook_replayed"
    KEYS_ROTATED = "signing_keys_rotated"
    KEY_WITHDRAWN = "signing_key_withdrawn"


@atomic
def record(
    caller: Caller, act: Act, *, user_id: str | None = None, target: str = "", detail: str = ""
) -> None:
    """Add an act to the log, within the verb that it is about.

    ``user_id``: the person whom it was done to. ``target``: the id of something else. ``detail``:
    a number, a group, a provider; nothing personal.
    """
    row = AdminAct(
        act=act.value,
        admin_id=caller.admin_id,
        admin_name=_name_of(caller),
        user_id=user_id,
        target=target[:255],
        detail=detail[:300],
        address=caller.address,
        reference=caller.reference,
    )
    db.session.add(row)
    log.info("admin_act", act=act.value, admin=caller.admin_id, user=user_id, target=target)


def _name_of(caller: Caller) -> str:
    if caller.admin_id is None:
        return COMMAND_LINE.user_agent if caller == COMMAND_LINE else THEMSELVES
    return caller.admin_name[:200]


def page(
    after: str | Position | None = None, limit: int = PAGE_SIZE, *, user_id: str | None = None
) -> Sequence[AdminAct]:
    """Return acts, newest first. ``after``: the last one seen, by id or by time and id.
    ``user_id``: only those that were done to this person."""
    query = select(AdminAct).where(AdminAct.at > now() - timedelta(days=KEPT_DAYS))
    if user_id is not None:
        query = query.where(AdminAct.user_id == user_id)
    if isinstance(after, str):
        last = db.session.get(AdminAct, after) if is_id(after) else None
        after = (last.at, last.id) if last else None
    if after is not None:
        query = query.where(tuple_(AdminAct.at, AdminAct.id) < tuple_(*after))
    query = query.order_by(AdminAct.at.desc(), AdminAct.id.desc()).limit(limit)
    return db.session.scalars(query).all()


def expired() -> Select[str]:
    """Select the ids of acts older than KEPT_DAYS."""
    return select(AdminAct.id).where(AdminAct.at < now() - timedelta(days=KEPT_DAYS))


@atomic
def purge(ids: Sequence[str]) -> None:
    """Delete expired acts, by id."""
    db.session.execute(delete(AdminAct).where(AdminAct.id.in_(ids)))
