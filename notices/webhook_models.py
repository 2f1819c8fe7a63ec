"""The tables of webhooks and of what they are told. Only endpoints.py, webhooks.py and
deliveries.py write them."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, new_id, now
from storage.types import index_of_few


class WebhookRow(Base):
    """An address of the operator's that is told what happens."""

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    url: Mapped[str] = mapped_column(String(2000))
    # The types that it wants (webhook_events.py); none: all.
    events: Mapped[list[str]] = mapped_column(JSON)
    # Whether it is told names and addresses of people too.
    with_profile: Mapped[bool] = mapped_column(default=False)
    # The secret, and the one before, sealed and bound to this row (endpoints.py).
    secrets: Mapped[str] = mapped_column(Text)
    # Until when the secret before signs too.
    overlap_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    # It asked for a pause until then.
    paused_until: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    # Since when no attempt succeeded, and how the latest one failed: never words of the receiver.
    failing_since: Mapped[datetime | None]
    fault: Mapped[str] = mapped_column(String(100), default="")
    disabled_at: Mapped[datetime | None]


class DeliveryRow(Base):
    """A message to one webhook: the outbox. The row stays for a while after its end, so that it can
    be sent again."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("webhook_id", "message_id"),
        index_of_few("ix_deliveries_due_at", "state = 'waiting'", "webhook_id", "due_at"),
        Index("ix_deliveries_message_id", "message_id"),
        Index("ix_deliveries_ended_at", "ended_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    # The same for all webhooks that are told of an event: the header webhook-id.
    message_id: Mapped[str] = mapped_column(String(40))
    type: Mapped[str] = mapped_column(String(40))
    # The body, sealed and bound to this row (webhooks.py).
    sealed: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)
    due_at: Mapped[datetime] = mapped_column(default=now)
    attempts: Mapped[int] = mapped_column(default=0)
    # waiting, delivered or failed.
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    ended_at: Mapped[datetime | None]
    # How the latest attempt ended: never words of the receiver.
    detail: Mapped[str] = mapped_column(String(100), default="")
