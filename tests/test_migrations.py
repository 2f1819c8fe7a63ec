"""The schema: migrations and models agree, on both engines, also when run twice or at once."""

from collections.abc import Callable

import pytest
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import inspect

import app as quickstep
import config
from models import db
from providers import PROVIDERS
from tests.site import SECRET_KEY


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request, tmp_path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/empty.sqlite"
    make_empty: Callable[[], str] = request.getfixturevalue("empty_postgres")
    return make_empty()


def application(database_url: str):
    variables = {"SECRET_KEY": SECRET_KEY, "DATABASE_URL": database_url}
    return quickstep.create_app(config.load(PROVIDERS.values(), variables, None))


def test_what_the_migrations_make_is_what_the_models_say(empty):
    with application(empty).app_context():
        upgrade()
        upgrade()
        check()
        assert set(inspect(db.engine).get_table_names()) == {
            "alembic_version",
            "events",
            "flows",
            "oauth",
            "sessions",
            "users",
        }
        db.engine.dispose()


def test_the_way_back_leaves_nothing(empty):
    with application(empty).app_context():
        upgrade()
        downgrade(revision="base")
        assert inspect(db.engine).get_table_names() == ["alembic_version"]
        db.engine.dispose()


def test_an_identity_is_unique_whoever_writes_it(empty):
    with application(empty).app_context():
        upgrade()
        (unique,) = inspect(db.engine).get_unique_constraints("oauth")
        assert unique["column_names"] == ["provider", "issuer", "subject"]
        db.engine.dispose()
