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
    """Stands for Flask-Migrate's group until somebody calls it."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        theirs: click.Group = importlib.import_module("flask_migrate.cli").db
        return theirs.make_context(*args, **kwargs)


def init_app(app: Flask) -> None:
    app.extensions["migrate"] = Migrations(app)
    app.cli.add_command(Group("db", help="The database's schema: upgrade, current, history …"))


def upgrade() -> None:
    """Bring the schema up to date."""
    importlib.import_module("flask_migrate").upgrade()
