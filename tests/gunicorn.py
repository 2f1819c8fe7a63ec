"""Real gunicorn processes on loopback, with gunicorn.conf.py as it stands."""

import os
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests

from tests.eavesdropper import EAR
from tests.processes import children_of, free_port, until

ROOT = Path(__file__).parents[1]
START_SECONDS = 60
APP = "app:create_app()"


class Gunicorn:
    """A master with its workers; ``flags`` are gunicorn's own, ``files`` the limits of open files:
    soft and hard."""

    def __init__(
        self,
        log: Path,
        *flags: str,
        app: str = APP,
        files: tuple[int, int] | None = None,
        **settings: Any,
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = log
        names = ("PATH", "HOME")
        inherited = {name: os.environ[name] for name in names if name in os.environ}
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{self.port}", *flags, app],
                cwd=ROOT,
                env={**inherited, **settings},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        if files:
            resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, files)

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def wait(self) -> "Gunicorn":
        """Wait until it answers."""
        self.until(lambda: self.get("/livez") is not None)
        return self

    def until(self, is_so: Any) -> None:
        def is_so_while_it_runs() -> object:
            assert self.process.poll() is None, self.log
            return is_so()

        until(is_so_while_it_runs, lambda: self.log, START_SECONDS)

    def get(self, path: str, **headers: str) -> requests.Response | None:
        """The response; None while nothing listens."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            return requests.get(self.url + path, headers=headers, timeout=30, allow_redirects=False)
        except requests.ConnectionError:
            return None

    def raw(self, *lines: str) -> str:
        """The response to a request that no well-behaved client would send."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode("latin-1")

    def connect(self, count: int) -> list[socket.socket]:
        """Visitors who say nothing; beyond the backlog they are still on their way."""
        silent = []
        for _ in range(count):
            silent.append(socket.socket())
            silent[-1].setblocking(False)
            silent[-1].connect_ex(("127.0.0.1", self.port))
        return silent

    def workers(self) -> list[int]:
        return children_of(self.process.pid)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self) -> None:
        """Stop immediately."""
        self.process.send_signal(signal.SIGQUIT)
        try:
            self.process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(START_SECONDS)
        for line in self.log.splitlines():
            EAR.hear(line)
