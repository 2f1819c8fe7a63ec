"""Invitations; and accounts that wait for the operator's approval.

Revision ID: signups
Revises: gates
"""

import sqlalchemy as sa
from alembic import op

revision = "signups"
down_revision = "gates"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("group_names", sa.Text(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitations_token_hash")),
    )
    op.create_index(op.f("ix_invitations_expires_at"), "invitations", ["expires_at"])
    op.add_column("users", sa.Column("pending_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        op.f("ix_users_pending_at"),
        "users",
        ["pending_at"],
        sqlite_where=sa.text("pending_at IS NOT NULL"),
        postgresql_where=sa.text("pending_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_users_pending_at"), table_name="users")
    op.drop_column("users", "pending_at")
    op.drop_index(op.f("ix_invitations_expires_at"), table_name="invitations")
    op.drop_table("invitations")
