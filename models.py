"""Tables of people and their constraints: users, identities, sessions, activity.

accounts/ is their only writer, and vault/ of the token columns of OAuth. ``atomic`` is the only way
to commit. Other rooms declare tables of their own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Protocol, TypeVar

from flask_login import UserMixin
from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage import Base, new_id, now
from storage.types import index_of_few


class User(UserMixin, Base):
    """A person, whose address comes from an identity (``email_identity``)."""

    __tablename__ = "users"
    __table_args__ = (
        Index("ix_users_created_at", "created_at", "id"),
        index_of_few("ix_users_disabled_at", "disabled_at IS NOT NULL", "created_at", "id"),
        index_of_few("ix_users_pending_at", "pending_at IS NOT NULL", "created_at", "id"),
        index_of_few("ix_users_held_at", "held_at IS NOT NULL", "created_at", "id"),
        index_of_few("ix_users_admin_at", "admin_at IS NOT NULL", "created_at", "id"),
        index_of_few("ix_users_delete_due_at", "delete_due_at IS NOT NULL", "delete_due_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    # None: not known yet, so a provider may fill it in. Empty: the person chose to have none.
    name: Mapped[str | None] = mapped_column(String(200))
    picture: Mapped[str | None] = mapped_column(String(2048))
    created_at: Mapped[datetime] = mapped_column(default=now)
    disabled_at: Mapped[datetime | None]
    # Since when it waits for the operator's approval; until then its sessions let nobody in.
    pending_at: Mapped[datetime | None]
    # Since when an invitation lets the person in without a rule; their roles, between blanks.
    admitted_at: Mapped[datetime | None]
    role_names: Mapped[str] = mapped_column(Text, default="", server_default="")
    # Since when the person administers this site (accounts/admins.py).
    admin_at: Mapped[datetime | None]
    # Since when changes of the account have to wait, and why (accounts/holds.py).
    held_at: Mapped[datetime | None]
    held_reason: Mapped[str | None] = mapped_column(String(16))
    # When the account is deleted because no identity opens it any more (accounts/orphans.py).
    delete_due_at: Mapped[datetime | None]
    # The name whose words are written (accounts/names.py).
    words_of: Mapped[str | None] = mapped_column(String(200))
    # The identity whose address the person chose; None: see email_identity.
    email_choice: Mapped[str | None] = mapped_column(
        ForeignKey("oauth.id", ondelete="SET NULL", use_alter=True)
    )

    # For this file and accounts/; other rooms use ``identities``.
    identity_rows: Mapped[list["OAuth"]] = relationship(
        back_populates="user",
        foreign_keys="OAuth.user_id",
        order_by="OAuth.linked_at, OAuth.id",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )

    @property
    def is_active(self) -> bool:
        return self.disabled_at is None

    @property
    def is_pending(self) -> bool:
        return self.pending_at is not None

    @property
    def identities(self) -> "list[Identity]":
        """Return this person's identities, oldest first."""
        return [Identity.of_row(row) for row in self.identity_rows]

    @property
    def email_identity(self) -> "Identity | None":
        """Return the identity whose address is this person's."""
        return address_of(self.identities, self.email_choice)

    def email_without(self, identity_id: str) -> str | None:
        """Return what the address would be without that identity."""
        others = [each for each in self.identities if each.id != identity_id]
        identity = address_of(others, self.email_choice)
        return identity.email if identity else None

    @property
    def email(self) -> str | None:
        return self.email_without("")


class WithAddress(Protocol):
    """The columns of an identity that decide whether it has its person's address."""

    @property
    def id(self) -> str: ...
    @property
    def email(self) -> str | None: ...
    @property
    def email_verified(self) -> bool: ...
    @property
    def suspended_at(self) -> object: ...


# The member of an identity's profile that dates the provider's silence about the address.
NOT_SHARED_SINCE = "email_not_shared_since"

AnAddress = TypeVar("AnAddress", bound=WithAddress)


def address_of(identities: Iterable[AnAddress], choice: str | None) -> AnAddress | None:
    """Return the identity whose address is the person's, from their identities, oldest first.

    Verified addresses come first, then the chosen, then the oldest; suspended identities have none.
    """
    return min(
        (row for row in identities if row.email and row.suspended_at is None),
        key=lambda row: (not row.email_verified, row.id != choice),
        default=None,
    )


@dataclass(frozen=True)
class Identity:
    """One person at one provider: a row of ``oauth`` as a value, returned by accounts/.

    ``profile``: the provider's latest name, username and picture, and since when it shares no
    address. ``token``: the provider's token response, sealed; vault/tokens.py opens it.
    """

    id: str
    user_id: str
    provider: str
    issuer: str
    subject: str
    email: str | None
    email_verified: bool
    email_trusted: bool
    profile: Mapping[str, Any]
    read_at: datetime | None
    scopes: str
    token: str | None = field(repr=False)
    token_expires_at: datetime | None
    grant_ended_at: datetime | None
    suspended_at: datetime | None
    suspended_reason: str | None
    email_dead_at: datetime | None
    linked_at: datetime
    last_used_at: datetime

    @classmethod
    def of_row(cls, row: "OAuth") -> "Identity":
        return cls(*(getattr(row, each.name) for each in fields(cls)))

    @property
    def email_not_shared_since(self) -> datetime | None:
        """Return since when the provider has not repeated the address; None while it does."""
        since = self.profile.get(NOT_SHARED_SINCE)
        return datetime.fromisoformat(since) if since else None

    @property
    def handle(self) -> str:
        """Return what a person recognises it by: address, @username, name or subject."""
        username, name = self.profile.get("username"), self.profile.get("name")
        return self.email or (username and f"@{username}") or name or self.subject


class OAuth(Base):
    """The row of an identity: one person at one provider, with the provider's token.

    ``issuer`` keeps identities apart when a provider's name is pointed at another server: subject
    42 at github.com is not subject 42 at a company's own GitHub.
    """

    __tablename__ = "oauth"
    __table_args__ = (
        UniqueConstraint("provider", "issuer", "subject"),
        # An operator names a person by provider:subject.
        Index("ix_oauth_subject", "subject", "provider"),
        index_of_few("ix_oauth_suspended_at", "suspended_at IS NOT NULL", "user_id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    provider: Mapped[str] = mapped_column(String(64))
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    email: Mapped[str | None] = mapped_column(String(254))
    # The address in the form that is compared (ASCII lower case); never shown, never a key.
    email_key: Mapped[str | None] = mapped_column(String(254), index=True)
    email_verified: Mapped[bool] = mapped_column(default=False)
    email_trusted: Mapped[bool] = mapped_column(default=False)
    # The latest profile, and when it was read: name, username, picture, and NOT_SHARED_SINCE.
    profile: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    read_at: Mapped[datetime | None] = mapped_column(default=now)
    scopes: Mapped[str] = mapped_column(Text, default="")
    # The provider's token response, sealed and bound to this row (vault/tokens.py).
    token: Mapped[str | None] = mapped_column(Text)
    token_expires_at: Mapped[datetime | None]
    # The lease for refreshing that token: its id and its expiry (vault/tokens.py).
    renewal: Mapped[str | None] = mapped_column(String(32))
    renewal_until: Mapped[datetime | None]
    # When the provider refused the token for good; only a new sign-in replaces it.
    grant_ended_at: Mapped[datetime | None]
    # Since when it opens nothing, and why (accounts/suspensions.py).
    suspended_at: Mapped[datetime | None]
    suspended_reason: Mapped[str | None] = mapped_column(String(16))
    email_dead_at: Mapped[datetime | None]
    linked_at: Mapped[datetime] = mapped_column(default=now)
    last_used_at: Mapped[datetime] = mapped_column(default=now)

    user: Mapped[User] = relationship(back_populates="identity_rows", foreign_keys=user_id)


class Session(Base):
    """A signed-in browser or device. The cookie holds a random token; this row, its hash."""

    __tablename__ = "sessions"
    __table_args__ = (
        index_of_few("ix_sessions_upstream_sid", "upstream_sid IS NOT NULL", "upstream_sid"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    # The identity that started it; the provider's name stays when that identity is removed.
    identity_id: Mapped[str | None] = mapped_column(
        ForeignKey("oauth.id", ondelete="SET NULL"), index=True
    )
    provider: Mapped[str] = mapped_column(String(64))
    # The name of this sign-in for applications; a successor of the same person keeps it. None:
    # started by an instance of the release before.
    sid: Mapped[str | None] = mapped_column(String(32), index=True, default=new_id)
    created_at: Mapped[datetime] = mapped_column(default=now)
    authenticated_at: Mapped[datetime] = mapped_column(default=now)
    # The provider of the latest reauthentication; None: there was none.
    reauthenticated_with: Mapped[str | None] = mapped_column(String(64))
    # The provider's name for its session (sid of the ID token), if it has one.
    upstream_sid: Mapped[str | None] = mapped_column(String(255))
    last_seen_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    user_agent: Mapped[str] = mapped_column(String(256), default="")
    address: Mapped[str] = mapped_column(String(45), default="")

    user: Mapped[User] = relationship()


class Event(Base):
    """A line of a person's activity: what happened to the account, when and from where."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_user_id", "user_id", "at"),
        Index("ix_events_kind", "kind", "at"),
        Index("ix_events_provider", "provider", "at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    kind: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(String(64), default="")
    provider: Mapped[str] = mapped_column(String(64), default="")
    detail: Mapped[str] = mapped_column(String(300), default="")
    user_agent: Mapped[str] = mapped_column(String(256), default="")
    address: Mapped[str] = mapped_column(String(45), default="")
    reference: Mapped[str] = mapped_column(String(16), default="", index=True)
    # The name of the administrator who did it for the person.
    administrator: Mapped[str | None] = mapped_column(String(200))
