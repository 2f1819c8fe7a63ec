"""The table of receipts. Only receipts.py writes it."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, new_id, now


class Receipt(Base):
    """A notice that was taken: what it was, and what it did. It holds no personal data, so it stays
    when its person is deleted."""

    __tablename__ = "receipts"
    __table_args__ = (UniqueConstraint("provider", "key_hash"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    provider: Mapped[str] = mapped_column(String(64))
    # The SHA-256 of the route and of what the provider gives each notice once.
    key_hash: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(32))
    # An HMAC of issuer and subject.
    subject_hash: Mapped[str | None] = mapped_column(String(64))
    # The SHA-256 of the code of a status page (deletions.py).
    code_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    # The account whose deletion is planned, for as long as it exists.
    user_id: Mapped[str | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    event_at: Mapped[datetime] = mapped_column(default=now)
    received_at: Mapped[datetime] = mapped_column(default=now, index=True)
    effect: Mapped[str] = mapped_column(String(32))
    detail: Mapped[str] = mapped_column(String(300), default="")
