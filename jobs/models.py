"""The table of periodic jobs. Only periodic.py writes it."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, now


class Job(Base):
    """A job that one instance at a time runs, and when it is due again."""

    __tablename__ = "chores"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(default=now)
    # Counts the leases: only the latest holder may renew.
    lease: Mapped[int] = mapped_column("turn", default=0)
    done_at: Mapped[datetime | None]
