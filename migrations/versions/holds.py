"""Finding held accounts and suspended identities.

Revision ID: holds
Revises: token_marks
"""

import sqlalchemy as sa
from alembic import op

revision = "holds"
down_revision = "token_marks"
branch_labels = None
depends_on = None


def create(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    create("ix_users_held_at", "users", ["created_at", "id"], "held_at IS NOT NULL")
    create("ix_oauth_suspended_at", "oauth", ["user_id"], "suspended_at IS NOT NULL")


def downgrade() -> None:
    op.drop_index("ix_oauth_suspended_at", table_name="oauth")
    op.drop_index("ix_users_held_at", table_name="users")
