"""The example configurations of deploy/, run: a proxy, and instances of Quickstep behind it.

Replaced are the ports and what an operator replaces: hosts, certificates, logs, instances.
"""

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from simulator import Server, environment
from tests.browser import Browser
from tests.processes import children_of, free_port, until
from tests.site import SECRET_KEY, USUAL

DEPLOY = Path(__file__).parents[3] / "deploy"
START_SECONDS = 20
WORKERS, THREADS = 1, 4


class Program:
    """A process that listens on a port, once it is constructed."""

    def __init__(
        self, command: list[str], port: int, log: Path, cwd: Path, settings: dict[str, str]
    ) -> None:
        self.log = log
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                command, cwd=cwd, env=settings, stdout=file, stderr=subprocess.STDOUT
            )
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.stop()
        raise AssertionError(f"{command[0]} does not serve:\n{log.read_text()}")

    def stop(self) -> int:
        """Send SIGTERM and return the exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(START_SECONDS)


class Proxy:
    """One of the examples on ports of its own. ``upstreams`` and ``app`` are those behind it."""

    def __init__(
        self, path: str, example: str, folder: Path, certificate: Path, instances: int = 1
    ) -> None:
        self.port, self.plain_port, self.app = free_port(), free_port(), free_port()
        self.upstreams = [free_port() for _ in range(instances)]
        self.url = f"https://localhost:{self.port}"
        self.certificate = certificate / "fullchain.pem"
        self.folder = folder
        render = self._nginx if example.startswith("nginx") else self._caddy
        command = [path, *render((DEPLOY / example).read_text(), certificate)]
        place = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        self._program = Program(command, self.port, folder / "proxy.log", folder, place)

    def _nginx(self, text: str, certificate: Path) -> list[str]:
        servers = [f"server 127.0.0.1:{port} max_fails=0;" for port in self.upstreams]
        text = text.replace("server 127.0.0.1:8000 max_fails=0;", " ".join(servers))
        text = text.replace(":3000", f":{self.app}")
        text = re.sub(r".*listen \[::\].*\n", "", text)
        text = text.replace("listen 80;", f"listen 127.0.0.1:{self.plain_port};")
        text = text.replace("listen 443 ", f"listen 127.0.0.1:{self.port} ")
        text = re.sub(r"/etc/letsencrypt/live/[\w.]+", str(certificate), text)
        text = text.replace("/var/log/nginx", str(self.folder))
        text = re.sub(r"server_name \w+\.example\.org", "server_name localhost", text)
        text = re.sub(r"\w+\.example\.org", f"localhost:{self.port}", text)
        main = self.folder / "nginx.conf"
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "".join(f"{kind}_temp_path {self.folder}/{kind};\n" for kind in kinds)
        user = "user root;\n" if os.geteuid() == 0 else ""
        main.write_text(
            f"{user}daemon off;\nworker_processes 1;\npid {self.folder}/nginx.pid;\n"
            "error_log stderr;\nworker_rlimit_nofile 16384;\n"
            "events { worker_connections 4096; }\n"
            f"http {{\n{temporary}{text}\n}}\n"
        )
        return ["-e", "stderr", "-c", str(main)]

    def _caddy(self, text: str, certificate: Path) -> list[str]:
        places = " ".join(f"127.0.0.1:{port}" for port in self.upstreams)
        text = text.replace("127.0.0.1:8000", places).replace(":3000", f":{self.app}")
        keys = f"{certificate}/fullchain.pem {certificate}/privkey.pem"
        text = re.sub(r"(?m)^\w+\.example\.org {", f"localhost {{\n\ttls {keys}", text)
        text = re.sub(r"\w+\.example\.org", f"localhost:{self.port}", text)
        ports = f"\thttp_port {self.plain_port}\n\thttps_port {self.port}\n"
        here = f"\tadmin off\n\tdefault_bind 127.0.0.1\n{ports}"
        text = re.sub(r"(?m)^{\n", "{\n" + here, text, count=1)
        main = self.folder / "Caddyfile"
        main.write_text(text)
        return ["run", "--adapter", "caddyfile", "--config", str(main)]

    def stop(self) -> None:
        self._program.stop()


class Instance(Program):
    """A gunicorn behind the proxy."""

    def __init__(self, port: int, log: Path, cwd: Path, settings: dict[str, str]) -> None:
        flags = ["--workers", str(WORKERS), "--threads", str(THREADS)]
        place = ["--bind", f"127.0.0.1:{port}", "app:create_app()"]
        super().__init__(
            [sys.executable, "-m", "gunicorn", *flags, *place], port, log, cwd, settings
        )

    def reload(self) -> None:
        """Send SIGHUP and wait until the workers of before have ended."""
        before = set(children_of(self.process.pid))
        self.process.send_signal(signal.SIGHUP)

        def is_renewed() -> bool:
            now = set(children_of(self.process.pid))
            return len(now) == WORKERS and not now & before

        until(is_renewed, self.log.read_text)


class Front:
    """Quickstep behind a proxy, as an operator has it; a ``Browser`` takes it for a site."""

    def __init__(
        self,
        proxy: Proxy,
        tree: Path,
        template: Path,
        folder: Path,
        make_look_alikes: Callable[..., Server],
    ) -> None:
        self.proxy, self.url = proxy, proxy.url
        self.simulator = make_look_alikes(public_url=proxy.url)
        self._folder, self._tree = folder, tree
        self._database = folder / "people.sqlite"
        shutil.copy(template, self._database)
        self._settings = {
            "PATH": "/usr/bin:/bin",
            "SECRET_KEY": SECRET_KEY,
            "DATABASE_URL": f"sqlite:///{self._database}",
            "PUBLIC_URL": proxy.url,
            "TRUSTED_PROXIES": "1",
            **environment(self.simulator.url, *USUAL),
        }
        self.instances = [self._start(port) for port in proxy.upstreams]

    def _start(self, port: int) -> Instance:
        return Instance(port, self._folder / f"gunicorn-{port}.log", self._tree, self._settings)

    def start(self, number: int) -> None:
        """Start an instance again that was stopped."""
        self.instances[number] = self._start(self.proxy.upstreams[number])

    def browser(self) -> Browser:
        browser = Browser(self)  # type: ignore[arg-type]
        browser.http.verify = str(self.proxy.certificate)
        return browser

    def rows(self, sql: str) -> list[Any]:
        with sqlite3.connect(self._database) as connection:
            return connection.execute(sql).fetchall()

    def stop(self) -> None:
        self.proxy.stop()  # first: it keeps connections
        for instance in self.instances:
            instance.stop()
