"""The table of mails. Only mails.py and sending.py write it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, new_id, now
from storage.types import index_of_few


class Mail(Base):
    """A mail to one address: the outbox. The row stays for a while after its end, without address
    and content."""

    __tablename__ = "mails"
    __table_args__ = (
        index_of_few("ix_mails_due_at", "state = 'waiting'", "due_at"),
        index_of_few("ix_mails_address_hash", "state = 'undeliverable'", "address_hash"),
        Index("ix_mails_user_id", "user_id", "created_at"),
        Index("ix_mails_ended_at", "ended_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    # The person it is about; None if it must go out although the account is gone.
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    # What several mails of one event have in common.
    notice_id: Mapped[str | None] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(32))
    # An HMAC of the address, by which refusals of it are counted.
    address_hash: Mapped[str] = mapped_column(String(64))
    # Address and content, sealed and bound to this row (mails.py); None after the end.
    sealed: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)
    due_at: Mapped[datetime] = mapped_column(default=now)
    attempts: Mapped[int] = mapped_column(default=0)
    # waiting, sent, undeliverable (the server refuses the address) or given_up.
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    ended_at: Mapped[datetime | None]
    # How the latest attempt failed: a status or the name of a fault, never words of the server.
    detail: Mapped[str] = mapped_column(String(64), default="")
