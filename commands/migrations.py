"""``flask --app app db``: Flask-Migrate, imported when it is first asked for.

With Alembic it is a fifth of a server's start and ten megabytes of each, and only commands need it.
"""

import importlib
from typing import Any

import click
from flask import Flask

from config import ROOT
from models import db


class Migrations:
    """In the place of Flask-Migrate's extension until somebody looks at it."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def __getattr__(self, name: str) -> Any:
        library = importlib.import_module("flask_migrate")
        library.Migrate(self._app, db, str(ROOT / "migrations"), render_as_batch=True)
        return getattr(self._app.extensions["migrate"], name)


class Group(click.Group):
    """Flask-Migrate's own commands."""

    @property
    def _theirs(self) -> click.Group:
        group: click.Group = importlib.import_module("flask_migrate.cli").db
        return group

    def list_commands(self, context: click.Context) -> list[str]:
        return self._theirs.list_commands(context)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        return self._theirs.get_command(context, name)


def init_app(app: Flask) -> None:
    app.extensions["migrate"] = Migrations(app)
    app.cli.add_command(Group("db", help="The database's schema: upgrade, current, history …"))


def upgrade() -> None:
    """Bring the schema up to date."""
    importlib.import_module("flask_migrate").upgrade()
