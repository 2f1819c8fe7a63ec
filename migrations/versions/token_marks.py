"""Marks of refresh tokens, by which a provider's report finds one.

Revision ID: token_marks
Revises: mails
"""

import sqlalchemy as sa
from alembic import op

revision = "token_marks"
down_revision = "mails"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "token_marks",
        sa.Column("identity_id", sa.String(length=32), nullable=False),
        sa.Column("prefix", sa.String(length=64), nullable=False),
        sa.Column("whole", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["identity_id"],
            ["oauth.id"],
            name=op.f("fk_token_marks_identity_id_oauth"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("identity_id", name=op.f("pk_token_marks")),
    )
    for column in ("prefix", "whole"):
        op.create_index(op.f(f"ix_token_marks_{column}"), "token_marks", [column])


def downgrade() -> None:
    op.drop_table("token_marks")
