"""Reports of providers: receipts, suspended identities, held accounts, planned deletions.

Revision ID: inbox
Revises: people_search
"""

import sqlalchemy as sa
from alembic import op

revision = "inbox"
down_revision = "people_search"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "receipts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject_hash", sa.String(length=64), nullable=True),
        sa.Column("code_hash", sa.String(length=64), nullable=True),
        sa.Column("user_id", sa.String(length=32), nullable=True),
        sa.Column("event_at", moment, nullable=False),
        sa.Column("received_at", moment, nullable=False),
        sa.Column("effect", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_receipts_user_id_users"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
        sa.UniqueConstraint("provider", "key_hash", name=op.f("uq_receipts_provider")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_receipts_code_hash")),
    )
    op.create_index(op.f("ix_receipts_received_at"), "receipts", ["received_at"])
    op.create_index(op.f("ix_receipts_user_id"), "receipts", ["user_id"])
    for name, column in (
        ("oauth", sa.Column("suspended_at", moment, nullable=True)),
        ("oauth", sa.Column("suspended_reason", sa.String(length=16), nullable=True)),
        ("oauth", sa.Column("email_dead_at", moment, nullable=True)),
        ("users", sa.Column("held_at", moment, nullable=True)),
        ("users", sa.Column("held_reason", sa.String(length=16), nullable=True)),
        ("users", sa.Column("delete_due_at", moment, nullable=True)),
        ("sessions", sa.Column("upstream_sid", sa.String(length=255), nullable=True)),
    ):
        op.add_column(name, column)
    for table, column in (("users", "delete_due_at"), ("sessions", "upstream_sid")):
        there = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            op.f(f"ix_{table}_{column}"),
            table,
            [column],
            sqlite_where=there,
            postgresql_where=there,
        )


def downgrade() -> None:
    op.drop_index(op.f("ix_sessions_upstream_sid"), table_name="sessions")
    op.drop_index(op.f("ix_users_delete_due_at"), table_name="users")
    op.drop_column("sessions", "upstream_sid")
    for column in ("delete_due_at", "held_reason", "held_at"):
        op.drop_column("users", column)
    for column in ("email_dead_at", "suspended_reason", "suspended_at"):
        op.drop_column("oauth", column)
    op.drop_index(op.f("ix_receipts_user_id"), table_name="receipts")
    op.drop_index(op.f("ix_receipts_received_at"), table_name="receipts")
    op.drop_table("receipts")
