"""A database that is locked, gone, full or busy: a clear 503, nothing half made, and on again."""

import os
import resource
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from sqlalchemy.pool import QueuePool

from storage import db
from storage.postgresql import PING_AFTER_IDLE_SECONDS
from tests.browser import Browser, Page
from tests.missing import lack
from tests.processes import children_of
from tests.site import migrate
from tests.system.faults.served import Served, assert_unavailable, at_once, timed

TIGHT_BYTES = 3 * 1024 * 1024


def renaming(browser: Browser) -> Callable[[], Page]:
    """What changes something by the API, once it is called."""
    token = browser.fetch("/api/v1/me").headers["X-CSRF-Token"]
    headers = {"X-CSRF-Token": token}
    return lambda: browser.fetch("/api/v1/me", "PATCH", headers=headers, json={"name": "Else"})


def errors(served: Served) -> list[str]:
    """What the log says of the database, without a traceback or a second line for it."""
    served.assert_no_bug()
    for line in served.lines("database_failed"):
        assert line["level"] == "error"
        assert "[SQL" not in str(line)
    return [str(line["cause"]) for line in served.lines("database_failed")]


def test_sqlite_that_another_process_locks(serve):
    served = serve()
    reader = served.signed_in("google", "ada")
    rename = renaming(served.signed_in("facebook", "grace"))
    # Its use is to be noted: that cannot be written, and must not be in the way.
    served.execute("UPDATE sessions SET last_seen_at = datetime(last_seen_at, '-2 minutes')")
    back = [served.callback("github", person) for person in ("linus", "leila", "wolfe")]
    path = served.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with ThreadPoolExecutor(8) as pool:
            begun = served.browser()
            calls = [*back, lambda: begun.fetch("/login/google"), rename]
            ends = at_once(pool, calls)
            for _ in range(3):
                page = timed(lambda: reader.get("/account"))
                assert page.status == 200, page
                assert timed(lambda: reader.get("/login?switch=1")).status == 200
            for end in ends:
                assert_unavailable(end.result())
        other.execute("ROLLBACK")
    assert served.count("users") == 2
    served.assert_whole()
    # The same browsers, the same addresses: nothing was used up.
    assert [call().path for call in back] == ["/account"] * 3
    assert rename().response.json()["name"] == "Else"
    assert served.count("users") == 5
    assert set(errors(served)) == {"database is locked"}
    assert len(errors(served)) == 5


def test_postgresql_that_is_stopped_and_comes_back(serve, own_postgres):
    url = own_postgres.get_uri().replace("postgresql://", "postgresql+psycopg://")
    migrate(url)
    served = serve(url)
    reader = served.signed_in("google", "ada")
    # So that every connection of the pools was used.
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: reader.get("/account"), range(64)))
    back = [served.callback("github", person) for person in ("linus", "leila")]
    rename = renaming(reader)
    own_postgres.stop()
    browser = served.browser()
    with ThreadPoolExecutor(8) as pool:
        calls = [*back, lambda: browser.fetch("/login/google"), lambda: reader.get("/account")]
        calls += [lambda: reader.fetch("/api/v1/me"), rename]
        calls += [lambda: reader.fetch("/api/v1/identities")]
        for end in at_once(pool, calls):
            assert_unavailable(end.result())
    # The buttons need no database, of whoever is not known to be somebody.
    assert browser.get("/login").status == 200
    # A worker that saw nothing of the outage tests only connections that were idle for so long.
    time.sleep(PING_AFTER_IDLE_SECONDS)
    own_postgres.start()
    # No restart, nobody signed out; who was on the way back arrives.
    with ThreadPoolExecutor(16) as pool:
        pages = list(pool.map(lambda _: reader.get("/account"), range(32)))
    assert [page.status for page in pages] == [200] * 32
    assert [call().path for call in back] == ["/account"] * 2
    assert served.count("users") == 3
    served.assert_whole()
    assert errors(served)


def test_postgresql_that_stops_in_its_tracks(serve, own_postgres):
    """A disk that hangs, a machine that is being moved: the connections stay open and say nothing,
    and its own time limits do not run."""
    url = own_postgres.get_uri().replace("postgresql://", "postgresql+psycopg://")
    migrate(url)
    served = serve(url)
    reader = served.signed_in("google", "ada")
    back = served.callback("github", "linus")
    rename = renaming(reader)
    begun = served.browser()
    server = own_postgres.get_pid()
    stopped = [server, *children_of(server)]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(8) as pool:
            calls = [back, rename, lambda: begun.fetch("/login/google")]
            calls += [lambda: reader.get("/account"), lambda: reader.fetch("/api/v1/me")]
            for end in at_once(pool, calls):
                assert_unavailable(end.result())
        assert served.browser().get("/login").status == 200
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    assert reader.get("/account").status == 200
    assert back().path == "/account"
    assert served.count("users") == 2
    served.assert_whole()
    assert errors(served)


# A full disk.


@pytest.fixture
def tight_disk() -> Iterator[Path]:
    """A file system with room for a few megabytes."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="quickstep-full-"))
        mount = ["mount", "-t", "tmpfs", "-o", f"size={TIGHT_BYTES}", "tmpfs", folder]
        try:
            subprocess.run(mount, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            lack("the right to mount a file system")
        stack.callback(subprocess.run, ["umount", "-l", folder], check=True)
        yield Path(folder)


def fill(folder: Path) -> Callable[[], None]:
    """Leave no byte; what is returned frees them again."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                pass
    return ballast.unlink


def no_more_growth(served: Served) -> Callable[[], None]:
    """The processes may make no file longer than the database's files are."""
    path = Path(served.database_url.removeprefix("sqlite:///"))
    most = max(each.stat().st_size for each in path.parent.glob(f"{path.name}*"))

    def limit(size: int) -> None:
        for pid in served.workers():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    limit(most)
    return lambda: limit(resource.RLIM_INFINITY)


@pytest.mark.parametrize("kind", ["disk", "quota"])
def test_sqlite_on_a_disk_that_is_full(serve, kind, request):
    folder = str(request.getfixturevalue("tight_disk")) if kind == "disk" else "sqlite"
    served = serve(folder)
    reader = served.signed_in("google", "ada")
    served.execute("UPDATE sessions SET last_seen_at = datetime(last_seen_at, '-2 minutes')")
    rename = renaming(reader)
    back = [served.callback("github", person) for person in ("linus", "leila")]
    free = fill(Path(folder)) if kind == "disk" else no_more_growth(served)
    # What still fits into the space that SQLite has may be written; then nothing may.
    ends = []
    for _ in range(40):
        page = timed(lambda: served.browser().fetch("/login/google"))
        ends.append(page.status)
        if page.status == 503:
            break
    assert ends[-1] == 503, ends
    for call in back:
        assert_unavailable(timed(call))
    for _ in range(3):
        page = timed(lambda: reader.get("/account"))
        assert page.status == 200, page
    assert_unavailable(timed(rename))
    served.assert_whole()
    assert served.count("users") == 1
    free()
    assert [call().path for call in back] == ["/account"] * 2
    assert served.count("users") == 3
    assert reader.get("/account").status == 200
    served.assert_whole()
    assert served.rows("PRAGMA integrity_check") == [("ok",)]
    assert all("full" in cause or "disk I/O error" in cause for cause in errors(served))


# A pool without a connection to spare.


def test_a_pool_that_is_empty(make_site, capfd):
    """PostgreSQL's: SQLite's has no end."""
    site = make_site("postgresql", LOG_FORMAT="json")
    browser = site.browser()
    browser.sign_in("google", "ada")
    callback = browser.choose(browser.begin("github"), "grace")
    with site.app.app_context():
        engine = db.engine
    pool = engine.pool
    assert isinstance(pool, QueuePool)
    pool._timeout = 0.2
    with ExitStack() as held:
        for _ in range(pool.size() + pool._max_overflow):
            held.enter_context(engine.connect())
        for path in ("/account", "/api/v1/me", "/login/google", callback):
            assert_unavailable(browser.fetch(path))
    assert browser.get("/account").status == 200
    assert browser.get(callback).path.startswith(("/account", "/login/confirm"))
    log = capfd.readouterr().err
    assert log.count('"event": "database_failed"') == 4
    assert "Traceback" not in log
