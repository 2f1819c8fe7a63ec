"""Rows and their constraints: people, their identities, sessions, flows and activity.

Who may write which row: accounts.py (User, OAuth), sessions.py (Session), flows.py
(Flow), activity.py (Event). ``atomic`` is the only way a write is committed.
"""

import functools
import re
import secrets
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, ClassVar, ParamSpec, TypeVar

from flask import Flask
from flask_login import UserMixin
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    Engine,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    event,
)
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

P = ParamSpec("P")
T = TypeVar("T")

WRITE_ATTEMPTS = 5
SQLITE_BUSY_MILLISECONDS = 5000
# PostgreSQL: serialization_failure and deadlock_detected; the transaction may simply run again.
RETRYABLE_SQLSTATES = ("40001", "40P01")


def now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """An opaque id: 32 hex digits of randomness, so ids neither leak counts nor hot-spot."""
    return secrets.token_hex(16)


def is_id(text: str) -> bool:
    """Whether a text from outside can be an id; PostgreSQL does not compare with just any."""
    return re.fullmatch(r"[0-9a-f]{32}", text) is not None


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC time in and out, also where the database keeps no time zone (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


class Base(DeclarativeBase):
    # Names for every constraint, so that migrations can speak of them on both engines.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UTCDateTime, dict: JSON}


db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})


class User(UserMixin, Base):
    """A person. Has no e-mail column: the address comes from an identity (``email_identity``)."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    name: Mapped[str | None] = mapped_column(String(200))
    picture: Mapped[str | None] = mapped_column(String(2048))
    created_at: Mapped[datetime] = mapped_column(default=now)
    disabled_at: Mapped[datetime | None]

    identities: Mapped[list["OAuth"]] = relationship(
        back_populates="user",
        order_by="OAuth.linked_at, OAuth.id",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )

    @property
    def is_active(self) -> bool:
        return self.disabled_at is None

    @property
    def email_identity(self) -> "OAuth | None":
        """The identity whose address is this person's: verified before not, then the oldest."""
        with_email = [identity for identity in self.identities if identity.email]
        return min(with_email, key=lambda identity: not identity.email_verified, default=None)

    @property
    def email(self) -> str | None:
        identity = self.email_identity
        return identity.email if identity else None


class OAuth(Base):
    """An identity: what one provider calls one person, with the token it gave us.

    ``issuer`` keeps identities apart when a provider's name is pointed at another server:
    subject 42 at github.com is not subject 42 at a company's own GitHub.
    """

    __tablename__ = "oauth"
    __table_args__ = (UniqueConstraint("provider", "issuer", "subject"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    provider: Mapped[str] = mapped_column(String(64))
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    email: Mapped[str | None] = mapped_column(String(254))
    # The address as it is compared (ASCII lower case); never shown, never a key.
    email_key: Mapped[str | None] = mapped_column(String(254), index=True)
    email_verified: Mapped[bool] = mapped_column(default=False)
    email_trusted: Mapped[bool] = mapped_column(default=False)
    # The profile as the provider last gave it: name, username, picture.
    profile: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    scopes: Mapped[str] = mapped_column(Text, default="")
    # The provider's token response, sealed and bound to this row (tokens.py).
    token: Mapped[str | None] = mapped_column(Text)
    token_expires_at: Mapped[datetime | None]
    linked_at: Mapped[datetime] = mapped_column(default=now)
    last_used_at: Mapped[datetime] = mapped_column(default=now)

    user: Mapped[User] = relationship(back_populates="identities")

    @property
    def handle(self) -> str:
        """How the person tells this identity from another: address, @username, name or subject."""
        username = self.profile.get("username")
        return (
            self.email or (username and f"@{username}") or self.profile.get("name") or self.subject
        )


class Session(Base):
    """One signed-in browser or device. The cookie holds a random token; this row, its hash."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    # The identity it was started with; the provider's name stays when that identity is removed.
    identity_id: Mapped[str | None] = mapped_column(
        ForeignKey("oauth.id", ondelete="SET NULL"), index=True
    )
    provider: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=now)
    authenticated_at: Mapped[datetime] = mapped_column(default=now)
    last_seen_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    user_agent: Mapped[str] = mapped_column(String(256), default="")
    address: Mapped[str] = mapped_column(String(45), default="")

    user: Mapped[User] = relationship()


class Flow(Base):
    """One attempt to sign in, link or prove oneself again, from the button to its end."""

    __tablename__ = "flows"
    __table_args__ = (Index("ix_flows_address", "address", "expires_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    # None once the callback has come.
    state_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    browser_hash: Mapped[str] = mapped_column(String(64))
    provider: Mapped[str] = mapped_column(String(64))
    intent: Mapped[str] = mapped_column(String(16))
    # Who was signed in when it began; it ends only with the same person still there.
    user_id: Mapped[str | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    session_id: Mapped[str | None] = mapped_column(String(32))
    # For a renewed proof: the one identity that may come back.
    identity_id: Mapped[str | None] = mapped_column(ForeignKey("oauth.id", ondelete="CASCADE"))
    return_to: Mapped[str] = mapped_column(Text)
    # PKCE verifier and nonce, sealed; after the callback, what waits for a confirm step.
    secrets: Mapped[str] = mapped_column(Text)
    # Of an IPv6 user, the network they own: what open flows are counted by.
    address: Mapped[str] = mapped_column(String(45), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    parked_as: Mapped[str | None] = mapped_column(String(16))


class Event(Base):
    """A line of somebody's activity: what happened to the account, when and from where."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_user_id", "user_id", "at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    kind: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(String(64), default="")
    provider: Mapped[str] = mapped_column(String(64), default="")
    detail: Mapped[str] = mapped_column(String(300), default="")
    user_agent: Mapped[str] = mapped_column(String(256), default="")
    address: Mapped[str] = mapped_column(String(45), default="")
    reference: Mapped[str] = mapped_column(String(16), default="")


def init_app(app: Flask) -> None:
    """Bind the database to an application and teach SQLite about locks and foreign keys."""
    db.init_app(app)
    with app.app_context():
        engine = db.engine
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions by itself: _begin_sqlite decides which kind.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_MILLISECONDS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    # A read transaction that turns into a write can fail at once with "database is locked";
    # one that begins as a write waits its turn.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


_inside: ContextVar[bool] = ContextVar("inside_atomic", default=False)


def atomic(verb: Callable[P, T]) -> Callable[P, T]:
    """Run a verb as one write transaction: committed whole, or not at all.

    Two requests that insert the same unique row, a serialization failure or a deadlock make
    the verb run again from the start, so it must read what it decides on inside itself.
    Within another atomic verb it joins that one's transaction.
    """

    @functools.wraps(verb)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        if _inside.get():
            return verb(*args, **kwargs)
        attempts = WRITE_ATTEMPTS
        while True:
            attempts -= 1
            mark = _inside.set(True)
            try:
                db.session.commit()  # ends a read transaction that earlier queries began
                db.session.connection(execution_options={"writes": True})
                result = verb(*args, **kwargs)
                db.session.commit()
            except (IntegrityError, OperationalError) as error:
                db.session.rollback()
                if not attempts or not _may_run_again(error):
                    raise
            except BaseException:
                db.session.rollback()
                raise
            else:
                return result
            finally:
                _inside.reset(mark)

    return run


def _may_run_again(error: IntegrityError | OperationalError) -> bool:
    if isinstance(error, IntegrityError):
        return True
    return getattr(error.orig, "sqlstate", None) in RETRYABLE_SQLSTATES


def engine_of(app: Flask) -> Engine:
    with app.app_context():
        return db.engine
