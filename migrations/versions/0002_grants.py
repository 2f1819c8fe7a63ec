"""Tokens in use: the lease for refreshing one, pending revocations, the chosen address.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OAUTH_COLUMNS = {
    "read_at": sa.DateTime(timezone=True),
    "renewal": sa.String(length=32),
    "renewal_until": sa.DateTime(timezone=True),
    "grant_ended_at": sa.DateTime(timezone=True),
}


def upgrade() -> None:
    for name, kind in OAUTH_COLUMNS.items():
        op.add_column("oauth", sa.Column(name, kind, nullable=True))
    op.execute("UPDATE oauth SET read_at = last_used_at")
    with op.batch_alter_table("users") as batch_op:
        batch_op.add_column(sa.Column("email_choice", sa.String(length=32), nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_users_email_choice_oauth"),
            "oauth",
            ["email_choice"],
            ["id"],
            ondelete="SET NULL",
        )
    op.create_table(
        "revocations",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revocations")),
    )
    op.create_index(op.f("ix_revocations_due_at"), "revocations", ["due_at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_revocations_due_at"), table_name="revocations")
    op.drop_table("revocations")
    with op.batch_alter_table("users") as batch_op:
        batch_op.drop_constraint(op.f("fk_users_email_choice_oauth"), type_="foreignkey")
        batch_op.drop_column("email_choice")
    for name in OAUTH_COLUMNS:
        op.drop_column("oauth", name)
