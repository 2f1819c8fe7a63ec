"""A real Redis on loopback that a test may kill, halt and start again, and its keys."""

import signal
import socket
import subprocess
from pathlib import Path

from tests.processes import SECONDS, free_port, until


class RedisServer:
    """Keeps nothing across a restart. ``url`` is for TCP, ``socket_url`` for its Unix socket."""

    def __init__(self, program: str, folder: Path) -> None:
        self.port = free_port()
        # A socket path has at most 107 characters, fewer than some of pytest's folders.
        self._program, self._folder = program, folder
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.socket_url = f"unix://{folder}/redis.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        listen = ["--port", str(self.port), "--bind", "127.0.0.1"]
        if len(str(self._folder)) < 90:
            listen += ["--unixsocket", f"{self._folder}/redis.sock"]
        plain = ["--save", "", "--appendonly", "no", "--logfile", f"{self._folder}/redis.log"]
        self._process = subprocess.Popen(
            [self._program, *listen, *plain, "--dir", str(self._folder), *options]
        )
        until(self._answers, "Redis did not start", 10)

    def _answers(self) -> bool:
        try:
            return self.ask("PING") in (b"+PONG", b"-NOAUTH Authentication required.")
        except OSError:
            return False

    def ask(self, command: str) -> bytes:
        """The first line of the response to an inline command."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
            connection.sendall(f"{command}\r\n".encode())
            return connection.makefile("rb").readline().strip()

    def keys(self) -> list[str]:
        """The keys it holds."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
            connection.sendall(b"KEYS *\r\n")
            answer = connection.makefile("rb")
            count = int(answer.readline()[1:])
            lines = [answer.readline().strip() for _ in range(2 * count)]
        return [line.decode() for line in lines[1::2]]

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait(SECONDS)
            self._process = None

    def halt(self) -> None:
        """Make it accept connections and answer nothing."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)
