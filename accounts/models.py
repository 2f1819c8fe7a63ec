"""Tables of flows, of administration, of words of names, of ended sessions, of probes and
of alarms. Only flows.py, flow_rows.py, questions.py, admin_links.py, admin_log.py, names.py,
ended_sessions.py, probes.py and alarms.py write them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, new_id, now


class Flow(Base):
    """One attempt to sign in, link or reauthenticate, from the button to its end."""

    __tablename__ = "flows"
    __table_args__ = (Index("ix_flows_address", "address", "expires_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    # None after the callback.
    state_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    browser_hash: Mapped[str] = mapped_column(String(64))
    provider: Mapped[str] = mapped_column(String(64))
    intent: Mapped[str] = mapped_column(String(16))
    # The user signed in when it began; the same user must be signed in when it ends.
    user_id: Mapped[str | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    session_id: Mapped[str | None] = mapped_column(String(32))
    # For a reauthentication: the one identity that may come back.
    identity_id: Mapped[str | None] = mapped_column(ForeignKey("oauth.id", ondelete="CASCADE"))
    return_to: Mapped[str] = mapped_column(Text)
    # PKCE verifier and nonce, sealed; after the callback, the assertion of a pending question.
    secrets: Mapped[str] = mapped_column(Text)
    # The address, or an IPv6 user's network, by which open flows are counted.
    address: Mapped[str] = mapped_column(String(45), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    parked_as: Mapped[str | None] = mapped_column(String(16))


class AdminAct(Base):
    """An act of an administrator, at the command line or on a page. Rows are never changed, and
    stay when the administrator's or the person's account goes: so they hold no personal data of
    the person."""

    __tablename__ = "admin_log"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    act: Mapped[str] = mapped_column(String(32))
    # None: the command line.
    admin_id: Mapped[str | None] = mapped_column(String(32))
    admin_name: Mapped[str] = mapped_column(String(200))
    # The person whom it was done to, or the id of something else.
    user_id: Mapped[str | None] = mapped_column(String(32), index=True)
    target: Mapped[str] = mapped_column(String(255), default="")
    detail: Mapped[str] = mapped_column(String(300), default="")
    address: Mapped[str] = mapped_column(String(45), default="")
    reference: Mapped[str] = mapped_column(String(16), default="")


class AdminLink(Base):
    """A link that makes one person an administrator, by the hash of its token."""

    __tablename__ = "admin_links"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime]


class EndedSession(Base):
    """Why a session was ended from elsewhere, by the hash of its token; its browser is told."""

    __tablename__ = "ended_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    reason: Mapped[str] = mapped_column(String(16))
    # The rule of access that is no longer met, if that is why. The default is for instances of the
    # release before.
    detail: Mapped[str] = mapped_column(String(300), default="", server_default="")
    ended_at: Mapped[datetime] = mapped_column(default=now, index=True)


class Alarm(Base):
    """A link by which a person says that an event was not them, by the hash of its token."""

    __tablename__ = "alarms"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    # The account; a merge changes it (merging.py).
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(32))
    # The identity that was connected, or signed in, and the sign-in (sessions.sid) that did it.
    identity_id: Mapped[str | None] = mapped_column(String(32))
    sid: Mapped[str | None] = mapped_column(String(32))
    # For the page, which outlives identity and session.
    provider: Mapped[str] = mapped_column(String(64), default="")
    user_agent: Mapped[str] = mapped_column(String(256), default="")
    # The identities that the account had before, between blanks; None after a hold has ended.
    known: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)
    used_at: Mapped[datetime | None]


class NameWord(Base):
    """A word of a person's name, as names.py compares it. Words are in the order of bytes, so
    those with one beginning are one range of the index, which answers alone."""

    __tablename__ = "name_words"
    __table_args__ = (
        Index("ix_name_words_word", "word", "created_at", "user_id", "words"),
        {"sqlite_with_rowid": False},
    )

    user_id: Mapped[str] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    word: Mapped[str] = mapped_column(
        String(40).with_variant(String(40, collation="C"), "postgresql"), primary_key=True
    )
    # When the account was made.
    created_at: Mapped[datetime]
    # All words of the name, each after a blank: who has a rare word and a common one is found
    # among those with the rare word.
    words: Mapped[str] = mapped_column(String(400))


class Probe(Base):
    """An identity whose provider is to be asked whether the permission still stands."""

    __tablename__ = "probes"
    __table_args__ = (Index("ix_probes_provider", "provider", "due_at"),)

    identity_id: Mapped[str] = mapped_column(
        ForeignKey("oauth.id", ondelete="CASCADE"), primary_key=True
    )
    provider: Mapped[str] = mapped_column(String(64))
    due_at: Mapped[datetime]
