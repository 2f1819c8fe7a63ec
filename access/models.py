"""The tables of memberships (groups.py), of facts for the rules (checks.py), of places (places.py),
and of invitations (invitations.py)."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, new_id, now


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


class Invitation(Base):
    """A link that opens accounts. The link holds a random token; this row, its hash."""

    __tablename__ = "invitations"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    # Only an identity with this address, verified, may use it; None: anybody.
    email: Mapped[str | None] = mapped_column(String(254))
    # The groups of those who use it, separated by blanks.
    group_names: Mapped[str] = mapped_column(Text, default="")
    # Whether it lets in people whom no rule of access does.
    bypass: Mapped[bool] = mapped_column(default=False, server_default=false())
    # How many accounts it may open, and how many it has opened.
    uses: Mapped[int]
    used: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
