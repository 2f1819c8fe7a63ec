"""The lasting ids of organisations that rules name.

Revision ID: access_places
Revises: admin
"""

import sqlalchemy as sa
from alembic import op

revision = "access_places"
down_revision = "admin"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_places",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("lasting_id", sa.String(length=64), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_access_places")),
    )


def downgrade() -> None:
    op.drop_table("access_places")
