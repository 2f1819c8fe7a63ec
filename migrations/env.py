"""How migrations run: on the application's engine, in one transaction, one process at a time."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from flask import current_app
from sqlalchemy import Connection, text
from sqlalchemy.types import TypeDecorator

from storage import postgresql

extension = current_app.extensions["migrate"]
LOCK = 0x0B1C57E9  # any number, the same in every process


def render_item(kind: str, item: object, _context: object) -> str | bool:
    """Render our own column type as the type it is based on: a migration does not import the
    models."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


@contextmanager
def without_cascades(connection: Connection) -> Iterator[None]:
    """Turn cascades off. SQLite makes most changes by copying the table and dropping the old one,
    which would delete all rows that refer to it.
    https://www.sqlite.org/lang_altertable.html#otheralter"""
    if connection.dialect.name != "sqlite":
        yield
        return
    outside_transactions = connection.connection.cursor()
    outside_transactions.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        outside_transactions.execute("PRAGMA foreign_keys = ON")
        outside_transactions.close()


def check_references(connection: Connection) -> None:
    """Check, before the commit, that no row refers to a missing one. Raises RuntimeError."""
    if connection.dialect.name == "sqlite":
        dangling = connection.execute(text("PRAGMA foreign_key_check")).all()
        if dangling:
            raise RuntimeError(f"{len(dangling)} rows would refer to rows that are gone")


def run() -> None:
    # SQLite: take the write lock immediately, so that a second process waits and then finds nothing
    # to do.
    with (
        extension.db.engine.connect().execution_options(writes=True) as connection,
        without_cascades(connection),
    ):
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
                # A change may take long, and a second process waits for it.
                postgresql.allow(connection, None)
                connection.execute(text("SET LOCAL lock_timeout = 0"))
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            context.run_migrations()
            check_references(connection)


run()
