"""Gates: applications behind a proxy that asks here.

Revision ID: gates
Revises: access
"""

import sqlalchemy as sa
from alembic import op

revision = "gates"
down_revision = "access"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gates",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gates")),
        sa.UniqueConstraint("name", name=op.f("uq_gates_name")),
    )
    op.create_table(
        "gate_hosts",
        sa.Column("origin", sa.String(length=255), nullable=False),
        sa.Column("gate_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["gate_id"], ["gates.id"], name=op.f("fk_gate_hosts_gate_id_gates"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("origin", name=op.f("pk_gate_hosts")),
    )
    op.create_table(
        "gate_flows",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("origin", sa.String(length=255), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=True),
        sa.Column("code_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("session_id", sa.String(length=32), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["origin"],
            ["gate_hosts.origin"],
            name=op.f("fk_gate_flows_origin_gate_hosts"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["sessions.id"],
            name=op.f("fk_gate_flows_session_id_sessions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_flows")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_gate_flows_code_hash")),
    )
    op.create_table(
        "gate_sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("origin", sa.String(length=255), nullable=False),
        sa.Column("session_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["origin"],
            ["gate_hosts.origin"],
            name=op.f("fk_gate_sessions_origin_gate_hosts"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["sessions.id"],
            name=op.f("fk_gate_sessions_session_id_sessions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_gate_sessions")),
    )
    for table, columns in INDEXED.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for column in columns:
                batch_op.create_index(batch_op.f(f"ix_{table}_{column}"), [column], unique=False)


INDEXED = {
    "gate_hosts": ("gate_id",),
    "gate_flows": ("origin", "browser_hash", "session_id", "expires_at"),
    "gate_sessions": ("origin", "session_id"),
}


def downgrade() -> None:
    for table in ("gate_sessions", "gate_flows", "gate_hosts", "gates"):
        op.drop_table(table)
