"""Whether the database can be used: it answers, and its schema is the one of this code."""

from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from models import db

CONNECT_SECONDS = 5
UPGRADE = "Run: flask --app app db upgrade"


def fault() -> str | None:
    """Why the database cannot be used, in one line that says what to do; None when it can.

    Takes CONNECT_SECONDS at most where nothing answers, and makes no file where there is none.
    """
    engine = db.engine
    if engine.dialect.name == "sqlite" and not _has_file(engine):
        return f"There is no database file yet. {UPGRADE}"
    try:
        with _bounded(engine).connect() as connection:
            return _compare(connection)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", "") or type(error).__name__).strip().splitlines()[0]
        return f"The database cannot be reached: {reason}"


def _has_file(engine: Engine) -> bool:
    name = engine.url.database
    return not name or name == ":memory:" or name.startswith("file:") or Path(name).exists()


def _bounded(engine: Engine) -> Engine:
    """A PostgreSQL server that is away is waited for by the driver for minutes."""
    if engine.dialect.name != "postgresql":
        return engine
    options = {"connect_timeout": CONNECT_SECONDS}
    return create_engine(engine.url, poolclass=NullPool, connect_args=options)


def _compare(connection: Connection) -> str | None:
    script = ScriptDirectory.from_config(current_app.extensions["migrate"].migrate.get_config())
    ours = set(script.get_heads())
    theirs = set(MigrationContext.configure(connection).get_current_heads())
    if ours == theirs:
        return None
    known = {revision.revision for revision in script.walk_revisions()}
    if theirs - known:
        return "The database's schema is newer than this code. Update the code."
    return f"The database's schema is not up to date. {UPGRADE}"
