"""From the release before: its rows stay, its sessions get a sid, and may go on writing none."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import MetaData, Table, insert, select, text

from accounts import sids
from models import Session
from storage import db
from tests.accounts.test_races import at_once
from tests.issuer.pair import Pair
from tests.issuer.relying_party import App
from tests.issuer.stage import Stage
from tests.processes import ended
from tests.site import SECRET_KEY
from tests.storage.test_migrations import application

ROOT = Path(__file__).parents[2]
BEFORE = "0004"
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
UPGRADE = """
import app
from flask_migrate import upgrade
with app.create_app().app_context():
    upgrade()
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/empty.sqlite"
    make_empty: Callable[[], str] = request.getfixturevalue("empty_postgres")
    return make_empty()


def value_of(table: Table, name: str, number: int) -> Any:
    """A value for a column that must have one; rows of one number belong together."""
    column = table.c[name]
    kind = column.type.python_type
    if kind is str:
        return f"{number}"
    return {int: number, bool: True, datetime: MOMENT, dict: {}}.get(kind, "{}")


def tables_now() -> list[Table]:
    """The tables, those that others refer to first."""
    metadata = MetaData()
    metadata.reflect(db.engine)
    first = ["users", "oauth", "sessions"]
    names = first + sorted(set(metadata.tables) - {*first, "alembic_version"})
    return [metadata.tables[name] for name in names]


def fill(tables: list[Table], numbers: range) -> None:
    """Write a row of each number into every table."""
    with db.engine.begin() as connection:
        for table in tables:
            needed = [each.name for each in table.columns if not each.nullable]
            for number in numbers:
                values = {name: value_of(table, name, number) for name in needed}
                connection.execute(insert(table).values(values))


def rows_of(tables: list[Table]) -> dict[str, list[Any]]:
    """The rows of these tables, by name, in these columns."""
    with db.engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table)))) for table in tables
        }


def test_an_upgrade_by_two_processes_keeps_every_row_and_names_every_session(empty):
    with application(empty).app_context():
        upgrade(revision=BEFORE)
        tables = tables_now()
        fill(tables, range(3))
        before = rows_of(tables)
        db.engine.dispose()
    assert all(len(rows) == 3 for rows in before.values())
    settings = {"SECRET_KEY": SECRET_KEY, "DATABASE_URL": empty, "PATH": os.environ["PATH"]}
    running = [
        subprocess.Popen([sys.executable, "-c", UPGRADE], cwd=ROOT, env=settings) for _ in range(2)
    ]
    with ended(*running):
        assert [process.wait(90) for process in running] == [0, 0]
    with application(empty).app_context():
        upgrade()
        check()
        assert rows_of(tables) == before
        named = text("SELECT count(*), count(sid), count(DISTINCT sid) FROM sessions")
        with db.engine.connect() as connection:
            assert connection.execute(named).one() == (3, 3, 3)
        downgrade(revision=BEFORE)
        assert rows_of(tables) == before
        upgrade()
        assert rows_of(tables) == before
        db.engine.dispose()


def sid(app: App, browser: Any) -> str:
    return str(app.claims(app.tokens(browser).document["id_token"])["sid"])


def test_a_session_of_the_release_before_has_one_sid_from_its_first_use_on(stage: Stage):
    """Its servers, which may still run, write sessions without one."""
    app, browser = stage.app, stage.browser
    stage.site.execute("UPDATE sessions SET sid = NULL")
    given = sid(app, browser)
    assert sid(app, browser) == given
    browser.get("/account/reauth", params={"always": "1"})
    page = browser.get("/account/reauth", params={"always": "1", "next": "/account"})
    browser.reauth(page, "grace")
    assert sid(app, browser) == given
    browser.sign_in("google", "grace")
    assert sid(app, browser) == given
    browser.sign_out()
    assert {row[0] for row in stage.site.rows("SELECT sid FROM logouts")} == {given}


def test_two_instances_give_a_session_the_same_sid(stage: Stage, pair: Pair):
    stage.site.execute("UPDATE sessions SET sid = NULL")

    def ask(instance: Any) -> str:
        with instance.app_context():
            session = db.session.scalars(select(Session)).one()
            return sids.sid_of(session)

    calls = [lambda one=one: ask(one) for one in (stage.site.app, pair.second) * 4]
    assert len(set(at_once(calls))) == 1
