"""Tables of gates: what stands behind them, flows that lead to them, and who came in.

Everything of a gate is deleted with it, and what a session opened is deleted with that session.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, new_id, now


class GateRow(Base):
    """A gate. ``rules``: whom it admits (accounts/admission.py), separated by blanks."""

    __tablename__ = "gates"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    rules: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=now)


class GateHostRow(Base):
    """An origin behind a gate, such as https://wiki.example.org. It belongs to one gate only."""

    __tablename__ = "gate_hosts"

    origin: Mapped[str] = mapped_column(String(255), primary_key=True)
    gate_id: Mapped[str] = mapped_column(ForeignKey("gates.id", ondelete="CASCADE"), index=True)


class GateFlowRow(Base):
    """A browser's way to a gate, from the page that it wanted to the code that it brings back."""

    __tablename__ = "gate_flows"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    origin: Mapped[str] = mapped_column(
        ForeignKey("gate_hosts.origin", ondelete="CASCADE"), index=True
    )
    # Path and query of the page that was wanted.
    target: Mapped[str] = mapped_column(Text)
    # The secret in this browser's cookie at the gated host. Its flows there share it.
    browser_hash: Mapped[str] = mapped_column(String(64), index=True)
    code_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    code_expires_at: Mapped[datetime | None]
    # The session that the code was made in.
    session_id: Mapped[str | None] = mapped_column(
        ForeignKey("sessions.id", ondelete="CASCADE"), index=True
    )
    expires_at: Mapped[datetime] = mapped_column(index=True)


class GateSessionRow(Base):
    """A browser that came in at one origin, while its session lasts. Its cookie at the gated host
    holds a random token; this row, its hash."""

    __tablename__ = "gate_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    origin: Mapped[str] = mapped_column(
        ForeignKey("gate_hosts.origin", ondelete="CASCADE"), index=True
    )
    session_id: Mapped[str] = mapped_column(
        ForeignKey("sessions.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=now)
