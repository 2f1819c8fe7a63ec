"""The table of memberships. Only groups.py writes it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, now


class Membership(Base):
    """A person in a group, and why: a person stays in it for as long as one source says so."""

    __tablename__ = "memberships"
    __table_args__ = (Index("ix_memberships_group_name", "group_name", "user_id"),)

    user_id: Mapped[str] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    group_name: Mapped[str] = mapped_column(String(64), primary_key=True)
    source: Mapped[str] = mapped_column(String(16), primary_key=True)
    added_at: Mapped[datetime] = mapped_column(default=now)
