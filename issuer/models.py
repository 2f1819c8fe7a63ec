"""Tables of the OpenID Provider: clients, consents, grants and their tokens, keys, logouts.

Only issuer/ writes them. Secrets and tokens are stored as hashes, private keys sealed.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, new_id, now


class ClientRow(Base):
    """An application that signs its people in here (RFC 6749 2)."""

    __tablename__ = "clients"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(200))
    # A public client has no secret (RFC 6749 2.1).
    is_public: Mapped[bool] = mapped_column(default=False)
    secret_hash: Mapped[str | None] = mapped_column(String(64))
    old_secret_hash: Mapped[str | None] = mapped_column(String(64))
    old_secret_until: Mapped[datetime | None]
    redirect_uris: Mapped[list[str]] = mapped_column(JSON, default=list)
    post_logout_uris: Mapped[list[str]] = mapped_column(JSON, default=list)
    backchannel_uri: Mapped[str | None] = mapped_column(String(2048))
    scopes: Mapped[list[str]] = mapped_column(JSON, default=list)
    grant_types: Mapped[list[str]] = mapped_column(JSON, default=list)
    resources: Mapped[list[str]] = mapped_column(JSON, default=list)
    # Rules of who may use it, such as "domain=example.org"; none: everyone.
    allow: Mapped[list[str]] = mapped_column(JSON, default=list)
    is_first_party: Mapped[bool] = mapped_column(default=False)
    needs_pkce: Mapped[bool] = mapped_column(default=True)
    has_claims_in_id_token: Mapped[bool] = mapped_column(default=False)
    id_token_alg: Mapped[str] = mapped_column(String(16), default="RS256")
    # Set where each person has a subject of its own at this client; never changes.
    pairwise_salt: Mapped[str | None] = mapped_column(String(64))
    access_seconds: Mapped[int] = mapped_column(default=600)
    idle_days: Mapped[int] = mapped_column(default=30)
    max_days: Mapped[int] = mapped_column(default=90)
    grace_seconds: Mapped[int] = mapped_column(default=60)
    # Keys with which it authenticates instead of by a secret: a JWK set, or where it is published.
    jwks: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    jwks_uri: Mapped[str | None] = mapped_column(String(2048))
    # The client_id of a client that is described by the document at this URL.
    document_url: Mapped[str | None] = mapped_column(String(512), unique=True)
    document_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    disabled_at: Mapped[datetime | None]


class ClientLogoRow(Base):
    """The logo of a client, which the operator gave it. Pages show it by its hash."""

    __tablename__ = "client_logos"

    client_id: Mapped[str] = mapped_column(
        ForeignKey("clients.id", ondelete="CASCADE"), primary_key=True
    )
    media_type: Mapped[str] = mapped_column(String(32))
    data: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[str] = mapped_column(String(64))


class ClientKeysRow(Base):
    """The keys that a client publishes at its ``jwks_uri``, as they were read last."""

    __tablename__ = "client_keys"

    client_id: Mapped[str] = mapped_column(
        ForeignKey("clients.id", ondelete="CASCADE"), primary_key=True
    )
    uri: Mapped[str] = mapped_column(String(2048))
    jwks: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    asked_at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class ConsentRow(Base):
    """The scopes that a person allows a client, remembered."""

    __tablename__ = "consents"

    user_id: Mapped[str] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    client_id: Mapped[str] = mapped_column(
        ForeignKey("clients.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    scopes: Mapped[str] = mapped_column(Text, default="")
    # The APIs that it may use, each with the scopes that were allowed for it.
    resources: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    given_at: Mapped[datetime] = mapped_column(default=now)


class RequestRow(Base):
    """An authorization request that waits for its person, or was pushed (RFC 9126)."""

    __tablename__ = "authorization_requests"
    __table_args__ = (Index("ix_authorization_requests_address", "address", "expires_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"), index=True)
    # The secret in the browser's cookie; None for a pushed request, which no browser has seen.
    browser_hash: Mapped[str | None] = mapped_column(String(64))
    urn_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON)
    # The person whose answer the page asked for.
    user_id: Mapped[str | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    # Whether the person has been offered another account (prompt=select_account).
    has_selected: Mapped[bool] = mapped_column(default=False)
    address: Mapped[str] = mapped_column(String(45), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class GrantRow(Base):
    """The outcome of one authorization of one client by one person: its code, then its tokens.

    Ended grants are kept for a while, so that a replay is recognised.
    """

    __tablename__ = "grants"
    # For housekeeping: grants that have ended, and codes that nobody exchanged.
    __table_args__ = (
        Index(
            "ix_grants_ended_at",
            "ended_at",
            sqlite_where=text("ended_at IS NOT NULL"),
            postgresql_where=text("ended_at IS NOT NULL"),
        ),
        Index(
            "ix_grants_code_expires_at",
            "code_expires_at",
            sqlite_where=text("code_used_at IS NULL"),
            postgresql_where=text("code_used_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    # The session's identity and sid. No foreign keys: a grant outlives both where it is offline.
    identity_id: Mapped[str | None] = mapped_column(String(32), index=True)
    sid: Mapped[str | None] = mapped_column(String(32), index=True)
    provider: Mapped[str] = mapped_column(String(64), default="")
    is_offline: Mapped[bool] = mapped_column(default=False)
    scopes: Mapped[str] = mapped_column(Text, default="")
    resource: Mapped[str | None] = mapped_column(String(2048))
    # The claims that the claims parameter asked for (OpenID Connect Core 5.5).
    claims: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    auth_time: Mapped[datetime]
    # The code: its hash and what it is bound to; the hash stays, so that a replay is recognised.
    code_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    code_expires_at: Mapped[datetime | None]
    code_used_at: Mapped[datetime | None]
    redirect_uri: Mapped[str] = mapped_column(Text, default="")
    challenge: Mapped[str | None] = mapped_column(String(64))
    nonce: Mapped[str | None] = mapped_column(Text)
    # Refresh tokens: the generation of the latest, and what they are made with (refresh_tokens.py).
    salt: Mapped[str] = mapped_column(String(64))
    generation: Mapped[int] = mapped_column(default=0)
    rotated_at: Mapped[datetime | None]
    jkt: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_used_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    idle_until: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str] = mapped_column(String(32), default="")
    user_agent: Mapped[str] = mapped_column(String(256), default="")
    address: Mapped[str] = mapped_column(String(45), default="")


class ResourceRow(Base):
    """An API that is not ours, for which clients get access tokens (RFC 8707, RFC 9068)."""

    __tablename__ = "resources"

    id: Mapped[str] = mapped_column(String(512), primary_key=True)
    # The name that people read; empty: its address.
    name: Mapped[str] = mapped_column(String(200), default="")
    scopes: Mapped[list[str]] = mapped_column(JSON, default=list)
    # The meaning of scopes, in words for people.
    words: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    # The client that may introspect its tokens.
    client_id: Mapped[str | None] = mapped_column(ForeignKey("clients.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=now)


class ProofRow(Base):
    """The hash of a proof that counts once: of DPoP (RFC 9449 11.1), or a client assertion."""

    __tablename__ = "seen_proofs"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class DeviceRow(Base):
    """A device that waits for its person's answer (RFC 8628), by the hash of its code."""

    __tablename__ = "device_codes"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"), index=True)
    scopes: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(16))
    grant_id: Mapped[str | None] = mapped_column(
        ForeignKey("grants.id", ondelete="CASCADE"), index=True
    )
    interval: Mapped[int]
    polled_at: Mapped[datetime | None]
    address: Mapped[str] = mapped_column(String(45), default="")
    user_agent: Mapped[str] = mapped_column(String(256), default="")
    expires_at: Mapped[datetime] = mapped_column(index=True)


class AccessTokenRow(Base):
    """An access token: opaque, by its hash; or a JWT for a resource, by the hash of its ``jti``.

    ``grant_id`` None: the client acts for itself.
    """

    __tablename__ = "access_tokens"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    grant_id: Mapped[str | None] = mapped_column(
        ForeignKey("grants.id", ondelete="CASCADE"), index=True
    )
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"), index=True)
    scopes: Mapped[str] = mapped_column(Text, default="")
    resource: Mapped[str | None] = mapped_column(String(512))
    jkt: Mapped[str | None] = mapped_column(String(64))
    issued_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class SigningKeyRow(Base):
    """A signing key; its id is the ``kid``. Which one signs follows from ``active_from``."""

    __tablename__ = "signing_keys"
    # Two processes that make the same next key collide here.
    __table_args__ = (UniqueConstraint("alg", "number"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    alg: Mapped[str] = mapped_column(String(16))
    number: Mapped[int]
    public: Mapped[dict[str, Any]] = mapped_column(JSON)
    # Sealed and bound to this row; None once the key signs no more.
    private: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)
    active_from: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class LogoutRow(Base):
    """A back-channel logout to deliver: the outbox (OpenID Connect Back-Channel Logout 2.5)."""

    __tablename__ = "logouts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"), index=True)
    sid: Mapped[str | None] = mapped_column(String(32))
    sub: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=now)
    due_at: Mapped[datetime] = mapped_column(default=now, index=True)
    attempts: Mapped[int] = mapped_column(default=0)
