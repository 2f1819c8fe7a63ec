"""Links that make one person an administrator: random, hashed, for 15 minutes, once."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, Select, delete, insert, select

from accounts import admin_log, admins
from accounts.activity import Caller
from accounts.admin_log import Act
from accounts.models import AdminLink
from accounts.sessions import hash_token
from errors import NotFound
from storage import atomic, db, now

MINUTES = 15


@atomic
def make(caller: Caller) -> str:
    """Make a link; return its token."""
    token = secrets.token_urlsafe(32)
    expires_at = now() + timedelta(minutes=MINUTES)
    db.session.execute(
        insert(AdminLink).values(token_hash=hash_token(token), expires_at=expires_at)
    )
    admin_log.record(caller, Act.LINK_MADE)
    return token


def is_open(token: str) -> bool:
    """Tell whether a link can still be used."""
    this = (AdminLink.token_hash == hash_token(token), AdminLink.expires_at > now())
    return db.session.scalar(select(AdminLink.token_hash).where(*this)) is not None


@atomic
def use(token: str, user_id: str, caller: Caller) -> None:
    """Make the person who opened a link an administrator. If several use it together, one wins.

    Raises NotFound for the others, and for a link that has expired.
    """
    this = (AdminLink.token_hash == hash_token(token), AdminLink.expires_at > now())
    used = cast(CursorResult[Any], db.session.execute(delete(AdminLink).where(*this)))
    if used.rowcount != 1:
        raise NotFound("the link was used, or has expired")
    admins.make(user_id, caller)


def expired() -> Select[str]:
    """Select the hashes of links that have expired."""
    return select(AdminLink.token_hash).where(AdminLink.expires_at < now())


@atomic
def purge(hashes: Sequence[str]) -> None:
    """Delete expired links."""
    db.session.execute(delete(AdminLink).where(AdminLink.token_hash.in_(hashes)))
