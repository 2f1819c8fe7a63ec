"""Invitations: links that open a number of accounts, until they expire.

A link holds a random token, which is shown once; the row holds its hash. Opening a link uses up
nothing: an invitation is used in the transaction that creates the account.
"""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Literal

import structlog
from sqlalchemy import CursorResult, Select, delete, insert, select, tuple_, update

from access.groups import SEPARATOR, split
from access.models import Invitation as InvitationRow
from access.refusals import (
    InvitationAddress,
    InvitationExpired,
    InvitationUnknown,
    InvitationUnverified,
    InvitationUsed,
)
from errors import SignInError
from providers.base import Profile
from providers.profile import email_key
from storage import atomic, db, new_id, now

log = structlog.get_logger()

TOKEN_MAX_CHARACTERS = 128
MAX_USES = 10_000
MAX_DAYS = 365
# An expired invitation is kept this long, so that its link gets the right error.
KEPT_DAYS = 30


@dataclass(frozen=True)
class Invitation:
    """An invitation. ``email``: the address that must be verified; None: any. ``uses``: how many
    accounts it may open in total; ``used``: how many it has opened. ``bypass``: whether it lets in
    people whom no rule of access does."""

    id: str
    email: str | None
    group_names: str
    bypass: bool
    uses: int
    used: int
    created_at: datetime
    expires_at: datetime

    @property
    def groups(self) -> list[str]:
        return split(self.group_names)

    @property
    def state(self) -> Literal["open", "used", "expired"]:
        if self.used >= self.uses:
            return "used"
        return "expired" if self.expires_at <= now() else "open"


_COLUMNS = [InvitationRow.__table__.c[each.name] for each in fields(Invitation)]


@atomic
def add(
    *,
    email: str | None = None,
    groups: Collection[str] = (),
    uses: int = 1,
    days: int = 7,
    bypass: bool = False,
) -> tuple[Invitation, str]:
    """Add an invitation; return it and the token of its link."""
    token, created_at = secrets.token_urlsafe(32), now()
    invitation = Invitation(
        id=new_id(),
        email=email,
        group_names=SEPARATOR.join(sorted(set(groups))),
        bypass=bypass,
        uses=uses,
        used=0,
        created_at=created_at,
        expires_at=created_at + timedelta(days=days),
    )
    values = {**vars(invitation), "token_hash": _hash(token)}
    db.session.execute(insert(InvitationRow).values(**values))
    log.info("invitation_added", invitation=invitation.id)
    return invitation, token


def find(token: str) -> Invitation:
    """Return the invitation of a link. Raises InvitationUnknown, InvitationUsed or
    InvitationExpired."""
    found = None
    if len(token) <= TOKEN_MAX_CHARACTERS:
        found = _first(select(*_COLUMNS).where(InvitationRow.token_hash == _hash(token)))
    if refusal := _fault(found):
        raise refusal
    assert found is not None
    return found


def is_usable(invitation: Invitation) -> bool:
    """Tell whether an invitation still opens an account, for somebody."""
    return _fault(invitation) is None


def of_id(invitation_id: str) -> Invitation | None:
    return _first(select(*_COLUMNS).where(InvitationRow.id == invitation_id))


def fault(invitation: Invitation | None, profile: Profile) -> SignInError | None:
    """Return why an invitation opens no account for a person with this profile; None if it does."""
    if refusal := _fault(invitation):
        return refusal
    assert invitation is not None
    if invitation.email is None:
        return None
    email = profile.email or ""
    if email_key(email) != email_key(invitation.email):
        return InvitationAddress(email=email)
    return None if profile.email_verified else InvitationUnverified(email=email)


def _fault(invitation: Invitation | None) -> SignInError | None:
    if invitation is None:
        return InvitationUnknown("there is no such invitation")
    if invitation.state == "used":
        return InvitationUsed(f"invitation {invitation.id} was used")
    if invitation.state == "expired":
        return InvitationExpired(f"invitation {invitation.id} has expired")
    return None


@atomic
def use(invitation_id: str) -> Invitation | None:
    """Count one use of an invitation, and return it; None if it may not be used any more.

    Concurrent uses wait for each other: the row stays locked until the transaction ends.
    """
    usable = (
        InvitationRow.id == invitation_id,
        InvitationRow.used < InvitationRow.uses,
        InvitationRow.expires_at > now(),
    )
    count = update(InvitationRow).where(*usable).values(used=InvitationRow.used + 1)
    result = db.session.execute(count)
    if isinstance(result, CursorResult) and result.rowcount != 1:
        return None
    return of_id(invitation_id)


@atomic
def remove(invitation_id: str) -> bool:
    """Withdraw an invitation; returns whether there was one. Accounts that it opened stay."""
    result = db.session.execute(delete(InvitationRow).where(InvitationRow.id == invitation_id))
    is_removed = isinstance(result, CursorResult) and result.rowcount == 1
    if is_removed:
        log.info("invitation_removed", invitation=invitation_id)
    return is_removed


def kept(limit: int, after: str | tuple[datetime, str] | None = None) -> list[Invitation]:
    """Return the latest invitations, newest first, with those that were used or have expired.
    ``after``: the last one seen, by id or by time and id."""
    query = select(*_COLUMNS)
    if isinstance(after, str):
        last = of_id(after)
        after = (last.created_at, last.id) if last else None
    if after is not None:
        position = tuple_(InvitationRow.created_at, InvitationRow.id)
        query = query.where(position < tuple_(*after))
    order = (InvitationRow.created_at.desc(), InvitationRow.id.desc())
    rows = db.session.execute(query.order_by(*order).limit(limit)).all()
    return [Invitation(*row) for row in rows]


def expired() -> Select[str]:
    """Select the ids of invitations that expired KEPT_DAYS ago."""
    before = now() - timedelta(days=KEPT_DAYS)
    return select(InvitationRow.id).where(InvitationRow.expires_at < before)


@atomic
def purge(ids: Sequence[str]) -> None:
    """Delete expired invitations, by id."""
    db.session.execute(delete(InvitationRow).where(InvitationRow.id.in_(ids)))


def _first(query: Select[*tuple[Any, ...]]) -> Invitation | None:
    row = db.session.execute(query).one_or_none()
    return Invitation(*row) if row else None


def _hash(token: str) -> str:
    # A token of others may contain a lone surrogate, which plain UTF-8 cannot.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
