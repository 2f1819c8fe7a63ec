"""The tables of memberships (groups.py), of facts for the rules (checks.py), and of places
(places.py)."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, now


class Place(Base):
    """An organisation that a rule names, by provider and name, and its lasting id there."""

    __tablename__ = "access_places"

    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    lasting_id: Mapped[str] = mapped_column(String(64))
    seen_at: Mapped[datetime] = mapped_column(default=now)


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


class AccessCheck(Base):
    """The facts about an identity for the rules, and when its provider is asked again."""

    __tablename__ = "access_checks"

    identity_id: Mapped[str] = mapped_column(
        ForeignKey("oauth.id", ondelete="CASCADE"), primary_key=True
    )
    # The fingerprint of the rules that were checked.
    rules: Mapped[str] = mapped_column(String(32), default="")
    # By the names of conditions: see checks.Held.
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    checked_at: Mapped[datetime | None]
    due_at: Mapped[datetime] = mapped_column(default=now, index=True)
