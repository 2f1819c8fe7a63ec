"""Access: what the operator's rules found about identities, and which rule ended a session.

Revision ID: access
Revises: access_places
"""

import sqlalchemy as sa
from alembic import op

revision = "access"
down_revision = "access_places"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_checks",
        sa.Column("identity_id", sa.String(length=32), nullable=False),
        sa.Column("rules", sa.String(length=32), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["identity_id"],
            ["oauth.id"],
            name=op.f("fk_access_checks_identity_id_oauth"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("identity_id", name=op.f("pk_access_checks")),
    )
    op.create_index(op.f("ix_access_checks_due_at"), "access_checks", ["due_at"])
    with op.batch_alter_table("ended_sessions", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("detail", sa.String(length=300), nullable=False, server_default="")
        )


def downgrade() -> None:
    with op.batch_alter_table("ended_sessions", schema=None) as batch_op:
        batch_op.drop_column("detail")
    op.drop_index(op.f("ix_access_checks_due_at"), table_name="access_checks")
    op.drop_table("access_checks")
