"""Updates without a pause: each migration leaves a schema that the release before can work with."""

from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from flask_migrate import upgrade
from sqlalchemy import inspect

from storage import db
from tests.storage.test_migrations import application

MIGRATIONS = ScriptDirectory(str(Path(__file__).parents[3] / "migrations"))
STEPS = [
    (each.down_revision, each.revision)
    for each in MIGRATIONS.walk_revisions()
    if each.down_revision is not None
]


def columns() -> dict[tuple[str, str], dict[str, Any]]:
    """By table and name."""
    found = inspect(db.engine)
    return {
        (table, column["name"]): dict(column)
        for table in found.get_table_names()
        for column in found.get_columns(table)
    }


def unique() -> set[tuple[str, str]]:
    """What must be unique, by table."""
    found: Any = inspect(db.engine)
    return {
        (table, ",".join(one["column_names"]))
        for table in found.get_table_names()
        for one in [*found.get_unique_constraints(table), *found.get_indexes(table)]
        if one.get("unique", True)
    }


@pytest.mark.parametrize(("before", "after"), STEPS, ids=[after for _before, after in STEPS])
def test_servers_of_the_release_before_go_on_while_the_schema_is_ahead(tmp_path, before, after):
    """What they read is there, what they write is enough. What is no longer needed goes one
    release later (docs/operate/upgrading.md)."""
    with application(f"sqlite:///{tmp_path}/step.sqlite").app_context():
        upgrade(revision=before)
        old, old_unique = columns(), unique()
        upgrade(revision=after)
        new, new_unique = columns(), unique()
        db.engine.dispose()
    assert not set(old) - set(new), "is still read"
    tables = {table for table, _name in old}
    for place in set(new) - set(old):
        added = new[place]
        fills_itself = added["nullable"] or added["default"] is not None
        assert place[0] not in tables or fills_itself, (
            f"{place} is not written by the release before"
        )
    for place, column in old.items():
        assert column["nullable"] <= new[place]["nullable"], f"{place} may be left empty by it"
        assert str(column["type"]) == str(new[place]["type"]), f"{place} is of another type"
    narrower = {one for one in new_unique - old_unique if one[0] in tables}
    assert not narrower, "rows that the release before writes could be refused"
