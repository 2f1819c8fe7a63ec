"""Receipts: each notice is taken once, on all instances, and leaves a row without personal data.

A receipt is kept for 180 days. A second copy of a notice finds it, and does nothing.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, func, select

from inbox.models import Receipt as ReceiptRow
from inbox.notices import Notice
from storage import atomic, db, new_id, now

KEPT_DAYS = 180
CODE_CHARACTERS = 20


@dataclass(frozen=True)
class Receipt:
    """A notice that was taken. ``user_id``: the account whose deletion is planned, while it
    exists."""

    id: str
    provider: str
    kind: str
    user_id: str | None
    event_at: datetime
    received_at: datetime
    effect: str
    detail: str


_COLUMNS = [ReceiptRow.__table__.c[each.name] for each in fields(Receipt)]


def key_hash(notice: Notice) -> str:
    """Return what makes two copies of a notice the same."""
    # A key may hold a lone surrogate, which plain UTF-8 cannot.
    text = f"{notice.route}\n{notice.key}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()


def subject_hash(notice: Notice, secret: bytes) -> str | None:
    """Return a name of the notice's person that tells nothing about them."""
    about = notice.subject or notice.subject_prefix
    if not about:
        return None
    text = f"receipt\n{notice.provider}\n{notice.issuer}\n{about}"
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


def code_of(notice: Notice, secret: bytes) -> str:
    """Return the code of a deletion's status page: the same for each copy of a notice."""
    text = f"deletion\n{notice.provider}\n{key_hash(notice)}"
    digest = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode()[:CODE_CHARACTERS]


def hash_code(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def is_taken(notice: Notice) -> bool:
    """Tell whether a copy of this notice was taken. Call within an atomic verb."""
    return detail_of(notice) is not None


def detail_of(notice: Notice) -> str | None:
    """Return the detail of the receipt of a notice with the same key; None if there is none."""
    this = (
        ReceiptRow.provider == notice.provider,
        ReceiptRow.key_hash == key_hash(notice),
    )
    return db.session.scalar(select(ReceiptRow.detail).where(*this))


def add(
    notice: Notice, effect: str, secret: bytes, *, code: str = "", user_id: str | None = None
) -> None:
    """Keep the receipt of a notice. Call within the atomic verb that carries it out: of two copies
    at the same time the second collides, starts again and finds the first."""
    row = ReceiptRow(
        id=new_id(),
        provider=notice.provider,
        key_hash=key_hash(notice),
        kind=notice.kind.value,
        subject_hash=subject_hash(notice, secret),
        code_hash=hash_code(code) if code else None,
        user_id=user_id,
        event_at=notice.event_at,
        received_at=now(),
        effect=effect,
        detail=notice.detail[:300],
    )
    db.session.add(row)
    db.session.flush()


def of_code(code: str) -> Receipt | None:
    """Return the receipt of a status page's code, if it is kept."""
    kept_since = now() - timedelta(days=KEPT_DAYS)
    query = select(*_COLUMNS).where(
        ReceiptRow.code_hash == hash_code(code), ReceiptRow.received_at > kept_since
    )
    row = db.session.execute(query).one_or_none()
    return Receipt(*row) if row else None


def recent(provider: str = "", limit: int = 50) -> list[Receipt]:
    """Return the latest receipts, newest first, of one provider or of all."""
    query = select(*_COLUMNS).order_by(ReceiptRow.received_at.desc(), ReceiptRow.id.desc())
    if provider:
        query = query.where(ReceiptRow.provider == provider)
    return [Receipt(*row) for row in db.session.execute(query.limit(limit))]


def last_heard() -> dict[str, datetime]:
    """Return when each provider was last heard."""
    query = select(ReceiptRow.provider, func.max(ReceiptRow.received_at))
    rows = db.session.execute(query.group_by(ReceiptRow.provider)).all()
    return dict(rows)


def expired() -> Select[str]:
    """Select the ids of receipts that are older than KEPT_DAYS."""
    return select(ReceiptRow.id).where(ReceiptRow.received_at < now() - timedelta(days=KEPT_DAYS))


@atomic
def purge(ids: Sequence[str]) -> None:
    """Delete expired receipts, by id."""
    db.session.execute(delete(ReceiptRow).where(ReceiptRow.id.in_(ids)))
