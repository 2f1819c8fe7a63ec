"""Schema checks: the database is reachable, and its schema matches this release."""

import re
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from config.settings import ROOT
from storage.transactions import db

CONNECT_SECONDS = 5
UPGRADE = "Run: flask --app app db upgrade"
# The lines of a migration with its revision and its predecessor.
_REVISION = re.compile(r"^(revision|down_revision)\b[^=]* = \"?(\w+)", re.MULTILINE)


def fault() -> str | None:
    """Return why the database cannot be used, in one line that says what to do; None if it can.

    Takes CONNECT_SECONDS at most if nothing responds, and does not create a missing file.
    """
    engine = db.engine
    if engine.dialect.name == "sqlite" and not _has_file(engine):
        return f"There is no database file yet. {UPGRADE}"
    try:
        with _bounded(engine).connect() as connection:
            return _compare(connection)
    except SQLAlchemyError as error:
        return unreachable(error)


def unreachable(error: SQLAlchemyError) -> str:
    """Describe an unreachable database in one line, without statement or password."""
    reason = str(getattr(error, "orig", "") or type(error).__name__).strip().splitlines()[0]
    return f"The database cannot be reached: {reason}"


def _has_file(engine: Engine) -> bool:
    name = engine.url.database
    return not name or name == ":memory:" or name.startswith("file:") or Path(name).exists()


def _bounded(engine: Engine) -> Engine:
    """Limit the connection time; for an unreachable PostgreSQL server the driver waits for
    minutes."""
    if engine.dialect.name != "postgresql":
        return engine
    options = {"connect_timeout": CONNECT_SECONDS}
    return create_engine(engine.url, poolclass=NullPool, connect_args=options)


def _compare(connection: Connection) -> str | None:
    theirs = current(connection)
    if theirs == newest():
        return None
    if theirs - set(revisions()):
        return "The database's schema is newer than this code. Update the code."
    return f"The database's schema is not up to date. {UPGRADE}"


def exists() -> bool:
    """Tell whether the database has a schema, of whatever release."""
    with db.engine.connect() as connection:
        return bool(current(connection))


def current(connection: Connection) -> set[str]:
    """Return the revisions that a database is at; none if it has no schema."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return set()
    return set(connection.scalars(text("SELECT version_num FROM alembic_version")))


def newest() -> set[str]:
    """Return the latest revisions of this release's migrations."""
    return set(revisions()) - set(revisions().values())


@cache
def revisions() -> dict[str, str]:
    """Return each of this release's migrations, and its predecessor.

    Read from the files, because importing Alembic takes a fifth of a server's start.
    """
    found = {}
    for path in (ROOT / "migrations" / "versions").glob("*.py"):
        said = dict(_REVISION.findall(path.read_text(encoding="utf-8")))
        found[said["revision"]] = said["down_revision"]
    return found
