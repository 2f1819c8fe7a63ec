"""Administrators, and the log of what they did.

Revision ID: admin
Revises: groups
"""

import sqlalchemy as sa
from alembic import op

revision = "admin"
down_revision = "groups"
branch_labels = None
depends_on = None

# By table; the release before writes rows without them.
COLUMNS = {
    "users": sa.Column("admin_at", sa.DateTime(timezone=True), nullable=True),
    "sessions": sa.Column("reauthenticated_with", sa.String(length=64), nullable=True),
    "events": sa.Column("administrator", sa.String(length=200), nullable=True),
}


def upgrade() -> None:
    for table, column in COLUMNS.items():
        op.add_column(table, column)
    op.create_table(
        "admin_log",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("act", sa.String(length=32), nullable=False),
        sa.Column("admin_id", sa.String(length=32), nullable=True),
        sa.Column("admin_name", sa.String(length=200), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=True),
        sa.Column("target", sa.String(length=255), nullable=False),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_log")),
    )
    with op.batch_alter_table("admin_log", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_admin_log_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_admin_log_user_id"), ["user_id"], unique=False)
    op.create_table(
        "admin_links",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_admin_links")),
    )


def downgrade() -> None:
    op.drop_table("admin_links")
    op.drop_table("admin_log")
    for table, column in COLUMNS.items():
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column(column.name)
