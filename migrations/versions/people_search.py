"""Finding people and events among very many: words of names, and indexes.

Revision ID: people_search
Revises: signups
"""

import sqlalchemy as sa
from alembic import op

revision = "people_search"
down_revision = "signups"
branch_labels = None
depends_on = None

# By name: table, columns, and which rows if not all.
INDEXES = {
    "ix_users_created_at": ("users", ["created_at", "id"], None),
    "ix_users_disabled_at": ("users", ["created_at", "id"], "disabled_at IS NOT NULL"),
    "ix_users_pending_at": ("users", ["created_at", "id"], "pending_at IS NOT NULL"),
    "ix_users_admin_at": ("users", ["created_at", "id"], "admin_at IS NOT NULL"),
    "ix_oauth_subject": ("oauth", ["subject", "provider"], None),
    "ix_events_kind": ("events", ["kind", "at"], None),
    "ix_events_provider": ("events", ["provider", "at"], None),
    "ix_events_reference": ("events", ["reference"], None),
}


def create(name: str, table: str, columns: list[str], condition: str | None) -> None:
    where = sa.text(condition) if condition else None
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    op.drop_index("ix_users_pending_at", table_name="users")
    for name, (table, columns, condition) in INDEXES.items():
        create(name, table, columns, condition)
    op.add_column("users", sa.Column("words_of", sa.String(length=200), nullable=True))
    # SQLite writes IS NOT, PostgreSQL IS DISTINCT FROM.
    differs = sa.column("name").is_distinct_from(sa.column("words_of"))
    op.create_index(
        "ix_users_words_of", "users", ["id"], sqlite_where=differs, postgresql_where=differs
    )
    in_bytes = sa.String(length=40).with_variant(sa.String(40, collation="C"), "postgresql")
    op.create_table(
        "name_words",
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("word", in_bytes, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("words", sa.String(length=400), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_name_words_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "word", name=op.f("pk_name_words")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_name_words_word", "name_words", ["word", "created_at", "user_id", "words"])


def downgrade() -> None:
    op.drop_table("name_words")
    op.drop_index("ix_users_words_of", table_name="users")
    op.drop_column("users", "words_of")
    for name, (table, _columns, _condition) in INDEXES.items():
        op.drop_index(name, table_name=table)
    create("ix_users_pending_at", "users", ["pending_at"], "pending_at IS NOT NULL")
