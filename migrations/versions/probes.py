"""Identities whose provider is to be asked whether the permission still stands.

Revision ID: probes
Revises: holds
"""

import sqlalchemy as sa
from alembic import op

revision = "probes"
down_revision = "holds"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "probes",
        sa.Column("identity_id", sa.String(length=32), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["identity_id"],
            ["oauth.id"],
            name=op.f("fk_probes_identity_id_oauth"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("identity_id", name=op.f("pk_probes")),
    )
    op.create_index(op.f("ix_probes_provider"), "probes", ["provider", "due_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_probes_provider"), table_name="probes")
    op.drop_table("probes")
