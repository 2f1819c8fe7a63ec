"""Alarms: links by which people say that something in their account was not them.

Revision ID: alarms
Revises: probes
"""

import sqlalchemy as sa
from alembic import op

revision = "alarms"
down_revision = "probes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "alarms",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("identity_id", sa.String(length=32), nullable=True),
        sa.Column("sid", sa.String(length=32), nullable=True),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=256), nullable=False),
        sa.Column("known", sa.Text(), nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("used_at", moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_alarms_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_alarms")),
    )
    op.create_index(op.f("ix_alarms_created_at"), "alarms", ["created_at"])
    op.create_index(op.f("ix_alarms_user_id"), "alarms", ["user_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_alarms_user_id"), table_name="alarms")
    op.drop_index(op.f("ix_alarms_created_at"), table_name="alarms")
    op.drop_table("alarms")
