"""siblings.py in a real gunicorn: connections are ready wherever the callback comes to."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from simulator import environment
from tests.conftest import lack
from tests.gunicorn import Gunicorn
from tests.site import SECRET_KEY

ESTABLISHED = "01"


@pytest.fixture
def server(template: Path, tmp_path: Path, make_look_alikes) -> Iterator[tuple[Gunicorn, int]]:
    if not (Path("/proc/self").exists() and Path("/dev/shm").exists()):
        lack("/proc and /dev/shm, by which servers are looked into")
    look_alikes = make_look_alikes()
    database = tmp_path / "own.sqlite"
    database.write_bytes(template.read_bytes())
    settings = environment(look_alikes.url, "github")
    url = f"sqlite:///{database}"
    server = Gunicorn(
        tmp_path / "log", "-w", "3", DATABASE_URL=url, SECRET_KEY=SECRET_KEY, **settings
    ).wait()
    server.until(lambda: len(server.workers()) == 3)
    yield server, int(look_alikes.url.rpartition(":")[2])
    server.stop()


def connected(pid: int, port: int) -> bool:
    """Whether a process has an open connection to a port."""
    sockets = set()
    for row in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        _, _, remote, state, *_, inode = row.split()[:10]
        if state == ESTABLISHED and int(remote.partition(":")[2], 16) == port:
            sockets.add(f"socket:[{inode}]")
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            if str(path.readlink()) in sockets:
                return True
    return False


def test_a_sign_in_that_begins_in_one_worker_has_all_of_them_ready(server):
    gunicorn, port = server
    workers = gunicorn.workers()
    assert not any(connected(pid, port) for pid in workers)
    assert gunicorn.get("/login/github").status_code == 302
    gunicorn.until(lambda: all(connected(pid, port) for pid in workers))
    assert gunicorn.get("/livez").status_code == 200
    assert gunicorn.workers() == workers
