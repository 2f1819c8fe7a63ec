"""The tables of tokens to revoke, and of marks of tokens. Only revocations.py and marks.py write
them."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, new_id, now


class Revocation(Base):
    """A token to revoke at its provider after its identity was removed: the outbox."""

    __tablename__ = "revocations"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    provider: Mapped[str] = mapped_column(String(64))
    issuer: Mapped[str] = mapped_column(String(255))
    # Subject and token response, sealed and bound to this row (revocations.py).
    sealed: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)
    due_at: Mapped[datetime] = mapped_column(default=now, index=True)
    attempts: Mapped[int] = mapped_column(default=0)


class TokenMark(Base):
    """The marks of an identity's refresh token. The row may be written before the identity's."""

    __tablename__ = "token_marks"

    identity_id: Mapped[str] = mapped_column(
        ForeignKey("oauth.id", ondelete="CASCADE", deferrable=True, initially="DEFERRED"),
        primary_key=True,
    )
    prefix: Mapped[str] = mapped_column(String(64), index=True)
    whole: Mapped[str] = mapped_column(String(64), index=True)
