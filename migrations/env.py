"""How migrations run: on the application's engine, in one transaction, one process at a time."""

from alembic import context
from flask import current_app
from sqlalchemy import text
from sqlalchemy.types import TypeDecorator

extension = current_app.extensions["migrate"]
LOCK = 0x0B1C57E9  # any number, the same in every process


def render_item(kind: str, item: object, _context: object) -> str | bool:
    """Our own column type by the one it stands for: a migration does not import the models."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


def run() -> None:
    # SQLite: the write lock is taken at once, so a second process waits and then finds all done.
    with extension.db.engine.connect().execution_options(writes=True) as connection:
        options = {
            **extension.configure_args,
            "target_metadata": extension.db.metadatas[None],
        }
        # SQLite can change its schema within a transaction; Alembic assumes it cannot.
        context.configure(
            connection=connection,
            transactional_ddl=True,
            render_item=render_item,
            **options,
        )
        with context.begin_transaction():
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            context.run_migrations()


run()
