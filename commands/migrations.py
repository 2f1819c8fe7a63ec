"""``flask --app app db``: Flask-Migrate, imported on first use.

With Alembic it takes a fifth of a server's start and ten megabytes, and only commands need it.
"""

import importlib
from pathlib import Path
from typing import Any, cast

import click
from flask import Flask
from sqlalchemy.exc import OperationalError

from config.settings import ROOT, Settings
from storage import db, schema


class Migrations:
    """Stands in for Flask-Migrate's extension until it is used."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def __getattr__(self, name: str) -> Any:
        library = importlib.import_module("flask_migrate")
        library.Migrate(self._app, db, str(ROOT / "migrations"), render_as_batch=True)
        return getattr(self._app.extensions["migrate"], name)


class Group(click.Group):
    """Stands in for Flask-Migrate's group until it is called. An unreachable database is reported
    in one line, as by our own commands."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        context = _library_group().make_context(*args, **kwargs)
        context.command = self  # whose invoke() is called with it
        return context

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return _library_group().invoke(ctx)
        except OperationalError as error:
            raise click.ClickException(schema.unreachable(error)) from None


def _library_group() -> click.Group:
    """Import Flask-Migrate's group."""
    return cast(click.Group, importlib.import_module("flask_migrate.cli").db)


def init_app(app: Flask) -> None:
    """Add ``db`` without importing Flask-Migrate."""
    app.extensions["migrate"] = Migrations(app)
    app.cli.add_command(Group("db", help="Manage the database schema: upgrade, current, history …"))


def bring_up_embedded_database(app: Flask, settings: Settings) -> None:
    """Create the schema of an embedded database that has none; in demo mode, also upgrade an older
    one. Otherwise an upgrade is the operator's: servers of the old release may run.

    A file without a schema is one that another process is just bringing up: this one waits for it.
    """
    if settings.database_url is not None:
        return
    path = Path(app.config["SQLALCHEMY_DATABASE_URI"].database)
    with app.app_context():
        if settings.demo or not path.exists() or not schema.exists():
            upgrade_database()


def upgrade_database() -> None:
    """Upgrade the schema."""
    importlib.import_module("flask_migrate").upgrade()
