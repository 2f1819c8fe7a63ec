"""A running Quickstep with fake providers, for tests: real HTTP on loopback on both sides."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool
from werkzeug.serving import make_server

import app as quickstep
import config
from providers import PROVIDERS
from simulator import Server, environment
from simulator.server import Quiet
from storage import db
from telemetry.logs import SECRET_NAMES
from tests.browser import Browser
from tests.eavesdropper import EAR

SECRET_KEY = "a secret key for tests only and long enough"
# A site's providers unless a test says otherwise: one of OpenID Connect, and two of OAuth 2.0
# that differ as much as possible. Tests of every provider are in tests/providers/.
USUAL = ("google", "facebook", "github")


# Each provider once; of two variants for the same users, the first.
ALL = tuple(key for key, provider in PROVIDERS.items() if not provider.variant)


class Site:
    """One server under test. ``url`` is its public URL; ``simulator`` holds the fake providers."""

    def __init__(
        self,
        database_url: str,
        settings: dict[str, str],
        look_alikes: tuple[str, ...],
        make_look_alikes: Callable[..., Server],
    ) -> None:
        self._server = make_server(
            "127.0.0.1", 0, self._answer, threaded=True, request_handler=Quiet
        )
        self.url = f"http://localhost:{self._server.server_port}"
        self.simulator = make_look_alikes(public_url=self.url)
        self.simulator.facebook.requires_proof = True
        self._variables = {
            "SECRET_KEY": SECRET_KEY,
            "DATABASE_URL": database_url,
            "PORT": str(self._server.server_port),
            **environment(self.simulator.url, *look_alikes),
        }
        self.app = self._make_app(settings)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def _make_app(self, settings: dict[str, str]) -> Flask:
        """An empty value removes a setting."""
        self._variables |= settings
        EAR.learn(*(value for name, value in self._variables.items() if SECRET_NAMES.search(name)))
        return quickstep.create_app(config.load(PROVIDERS.values(), self._variables, None))

    def _answer(self, environ: Any, start_response: Any) -> Any:
        return self.app(environ, start_response)

    def browser(self) -> Browser:
        """A new browser without cookies."""
        return Browser(self)

    def rows(self, sql: str, **parameters: Any) -> list[Any]:
        """The rows of a query."""
        with self.app.app_context(), db.engine.connect() as connection:
            return list(connection.execute(text(sql), parameters))

    def execute(self, sql: str, **parameters: Any) -> None:
        with self.app.app_context(), db.engine.connect() as connection:
            connection.execute(text(sql), parameters)
            connection.commit()

    def inside(self, verb: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function in the application context."""
        with self.app.app_context():
            return verb(*args, **kwargs)

    def user_count(self) -> int:
        return int(self.rows("SELECT count(*) FROM users")[0][0])

    def restart(self, **settings: str) -> None:
        """Start a new application, which shares only database and settings with the old one."""
        self._end()
        self.app = self._make_app(settings)

    def _end(self) -> None:
        self.app.extensions["jobs"].stop()
        with self.app.app_context():
            db.engine.dispose()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._end()


class Sites:
    """Makes sites for one test, each with its own database, and stops them afterwards."""

    def __init__(
        self,
        folder: Path,
        template: Path,
        postgres: Callable[[], str],
        make_look_alikes: Callable[..., Server],
    ) -> None:
        self._folder, self._template, self._postgres = folder, template, postgres
        self._make_look_alikes = make_look_alikes
        self._running: list[Site] = []

    def __call__(
        self,
        database: str = "sqlite",
        look_alikes: tuple[str, ...] = (*USUAL, "firebase"),
        **settings: str,
    ) -> Site:
        """A site with these settings and those of the fake providers. ``database``: the engine."""
        if database == "postgresql":
            url = self._postgres()
        else:
            path = self._folder / f"{len(self._running)}.sqlite"
            shutil.copy(self._template, path)
            url = f"sqlite:///{path}"
        site = Site(url, settings, look_alikes, self._make_look_alikes)
        self._running.append(site)
        return site

    def stop(self) -> None:
        for site in self._running:
            site.stop()


def migrate(database_url: str) -> None:
    """Migrate an empty database as an operator does."""
    variables = {"SECRET_KEY": SECRET_KEY, "DATABASE_URL": database_url}
    application = quickstep.create_app(config.load(PROVIDERS.values(), variables, None))
    with application.app_context():
        upgrade()
        db.engine.dispose()


def forget_at_power_loss(server_url: str) -> None:
    """Let PostgreSQL wait for no disk. It still survives everything but a crash of the machine."""
    engine = create_engine(server_url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        for setting in ("fsync", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))


@contextmanager
def postgres_databases(server_url: str, template: str) -> Iterator[Callable[[], str]]:
    """A function that makes PostgreSQL databases, as copies of a migrated one."""
    engine = create_engine(server_url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    made: list[str] = []

    def make() -> str:
        name = f"from_{template}_{len(made)}"
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        made.append(name)
        return engine.url.set(database=name).render_as_string(hide_password=False)

    yield make
    engine.dispose()
