"""For tests with processes and threads: ports, waiting, child processes."""

import random
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

SECONDS = 30.0


def free_port() -> int:
    """A port below those that the system assigns by itself, so that it stays free."""
    while True:
        port = random.randrange(10_000, 30_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def until(
    holds: Callable[[], object],
    what: str | Callable[[], str] = "it did not happen",
    seconds: float = SECONDS,
) -> None:
    """Wait until this holds. ``what`` is the message if it never does."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, what if isinstance(what, str) else what()
        time.sleep(0.05)


@contextmanager
def ended(*processes: subprocess.Popen[Any]) -> Iterator[None]:
    """End the processes that the block leaves running. Leaving a Popen's own block waits without a
    limit."""
    try:
        yield
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait(SECONDS)


def children_of(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in children.split()]
