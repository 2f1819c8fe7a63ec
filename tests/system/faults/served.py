"""A real site that a test may do harm to: gunicorn, a database, look-alikes elsewhere."""

import json
import os
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from simulator import Server
from storage import db
from tests.browser import Browser, Page
from tests.gunicorn import Gunicorn
from tests.site import SECRET_KEY, Site

# Longer than any answer may take: a provider's call has 12 seconds, SQLite's lock 5, twice.
BOUND_SECONDS = 25
FLAGS = ("-w", "2", "--threads", "8")
# Users without a way in, ways in of nobody, sessions of neither: what must never be left behind.
HALF_MADE = """
    SELECT 'user', id FROM users WHERE id NOT IN (SELECT user_id FROM oauth)
    UNION ALL
    SELECT 'identity', id FROM oauth WHERE user_id NOT IN (SELECT id FROM users)
    UNION ALL
    SELECT 'session', id FROM sessions WHERE user_id NOT IN (SELECT id FROM users)
        OR identity_id NOT IN (SELECT id FROM oauth)
"""


class Served:
    """``url`` is its public URL; ``simulator`` holds the look-alikes that behave."""

    def __init__(
        self,
        log: Path,
        database_url: str,
        settings: dict[str, str],
        app: str,
        flags: Sequence[str],
    ) -> None:
        self.database_url = database_url
        self.engine = create_engine(database_url, poolclass=NullPool)
        variables: dict[str, Any] = {
            "SECRET_KEY": SECRET_KEY,
            "DATABASE_URL": database_url,
            "LOG_FORMAT": "json",
        }
        # At its public address too.
        place = ("-b", f"127.0.0.1:{settings['PORT']}")
        self.gunicorn = Gunicorn(log, *flags, *place, app=app, **(variables | settings))
        self.url = settings["PUBLIC_URL"]
        self.simulator: Server
        # For commands; set by tests that run some.
        self.app: Flask | None = None

    def browser(self) -> Browser:
        return Browser(cast(Site, self))  # of a site it needs the address only

    def signed_in(self, provider: str, person: str) -> Browser:
        browser = self.browser()
        page = browser.sign_in(provider, person)
        assert page.path == "/account", page
        return browser

    def callback(self, provider: str, person: str, behave: str = "") -> Callable[[], Page]:
        """Somebody who is about to come back from the provider: what brings them back."""
        browser = self.browser()
        callback = browser.choose(browser.begin(provider), person, behave)
        return lambda: browser.get(callback)

    def rows(self, sql: str, **parameters: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(text(sql), parameters))

    def execute(self, sql: str, **parameters: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(sql), parameters)

    def count(self, table: str) -> int:
        return int(self.rows(f"SELECT count(*) FROM {table}")[0][0])

    def assert_whole(self) -> None:
        assert self.rows(HALF_MADE) == []

    def lines(self, event: str) -> list[dict[str, Any]]:
        """The log's lines of one event."""
        found = (json.loads(line) for line in self.gunicorn.log.splitlines() if line[:1] == "{")
        return [line for line in found if line["event"] == event]

    def assert_no_bug(self) -> None:
        """Whatever happened, it was foreseen: one line each, and no traceback."""
        assert "Traceback" not in self.gunicorn.log
        assert self.lines("bug") == []

    def stop(self) -> None:
        """Not by SIGQUIT: a worker of gunicorn's waits for itself where that comes while it starts
        a thread, and is killed half a minute later."""
        self.gunicorn.signal(signal.SIGTERM)
        self.gunicorn.process.wait(60)
        self.gunicorn.stop()
        if self.app is not None:
            self.app.extensions["jobs"].stop()
            with self.app.app_context():
                db.engine.dispose()

    def workers(self) -> list[int]:
        return self.gunicorn.workers()

    def kill_worker(self) -> int:
        """One of them, without a word: its number."""
        worker = self.workers()[0]
        os.kill(worker, signal.SIGKILL)
        return worker


def timed(call: Callable[[], Page]) -> Page:
    """An answer that came in time, or a failure."""
    began = time.monotonic()
    page = call()
    assert time.monotonic() - began < BOUND_SECONDS, page
    return page


def at_once(pool: ThreadPoolExecutor, calls: Sequence[Callable[[], Page]]) -> list[Future[Page]]:
    return [pool.submit(timed, call) for call in calls]


def assert_unavailable(page: Page) -> None:
    """The clear 503, as a page or, for programs, as a problem."""
    assert page.status == 503, page
    assert int(page.headers["Retry-After"]) > 0
    if page.path.startswith("/api/"):
        assert page.headers["Content-Type"] == "application/problem+json"
        assert page.response.json()["code"] == "unavailable"
    else:
        assert page.heading == "Back soon"
