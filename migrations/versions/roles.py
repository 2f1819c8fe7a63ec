"""The roles of people, and invitations that let in whom no rule does.

Revision ID: roles
Revises: inbox
"""

import sqlalchemy as sa
from alembic import op

revision = "roles"
down_revision = "inbox"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "invitations",
        sa.Column("bypass", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column("users", sa.Column("admitted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("role_names", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("users", "role_names")
    op.drop_column("users", "admitted_at")
    op.drop_column("invitations", "bypass")
