"""Mail: the outbox of what people are told.

Revision ID: mails
Revises: roles
"""

import sqlalchemy as sa
from alembic import op

revision = "mails"
down_revision = "roles"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "mails",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=True),
        sa.Column("notice_id", sa.String(length=32), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("due_at", moment, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.Column("detail", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_mails_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
    )
    op.create_index("ix_mails_user_id", "mails", ["user_id", "created_at"])
    op.create_index("ix_mails_ended_at", "mails", ["ended_at"])
    for column, state in (("due_at", "waiting"), ("address_hash", "undeliverable")):
        where = sa.text(f"state = '{state}'")
        op.create_index(
            f"ix_mails_{column}", "mails", [column], sqlite_where=where, postgresql_where=where
        )


def downgrade() -> None:
    op.drop_table("mails")
