"""The example configurations of deploy/, run: a proxy, and Quickstep behind it.

What is put in their place is what an operator puts there, and the ports: hosts, certificates, logs.
"""

import os
import re
import shutil
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
from tests.processes import free_port
from tests.site import SECRET_KEY, USUAL

DEPLOY = Path(__file__).parents[3] / "deploy"
START_SECONDS = 20


class Program:
    """A process whose port is waited for."""

    def __init__(
        self, command: list[str], port: int, log: Path, cwd: Path, settings: dict[str, str]
    ) -> None:
        self.log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                command, cwd=cwd, env=settings, stdout=file, stderr=subprocess.STDOUT
            )
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.stop()
        raise AssertionError(f"{command[0]} does not serve:\n{log.read_text()}")

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(START_SECONDS)


class Proxy:
    """One of the examples on ports of its own. ``upstream``, ``app``: where it leads to."""

    def __init__(self, path: str, example: str, folder: Path, certificate: Path) -> None:
        self.port, self.plain_port = free_port(), free_port()
        self.upstream, self.app = free_port(), free_port()
        self.url = f"https://localhost:{self.port}"
        self.certificate = certificate / "fullchain.pem"
        self.folder = folder
        render = self._nginx if example.startswith("nginx") else self._caddy
        command = [path, *render((DEPLOY / example).read_text(), certificate)]
        place = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        self._program = Program(command, self.port, folder / "proxy.log", folder, place)

    def _upstreams(self, text: str) -> str:
        return text.replace(":8000", f":{self.upstream}").replace(":3000", f":{self.app}")

    def _nginx(self, text: str, certificate: Path) -> list[str]:
        text = re.sub(r".*listen \[::\].*\n", "", self._upstreams(text))
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
            f"error_log stderr;\nevents {{}}\nhttp {{\n{temporary}{text}\n}}\n"
        )
        return ["-e", "stderr", "-c", str(main)]

    def _caddy(self, text: str, certificate: Path) -> list[str]:
        keys = f"{certificate}/fullchain.pem {certificate}/privkey.pem"
        text = re.sub(r"(?m)^\w+\.example\.org {", f"localhost {{\n\ttls {keys}", text)
        text = re.sub(r"\w+\.example\.org", f"localhost:{self.port}", self._upstreams(text))
        ports = f"\thttp_port {self.plain_port}\n\thttps_port {self.port}\n"
        here = f"\tadmin off\n\tdefault_bind 127.0.0.1\n{ports}"
        text = re.sub(r"(?m)^{\n", "{\n" + here, text, count=1)
        main = self.folder / "Caddyfile"
        main.write_text(text)
        return ["run", "--adapter", "caddyfile", "--config", str(main)]

    def stop(self) -> None:
        self._program.stop()


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
        self._database = folder / "people.sqlite"
        shutil.copy(template, self._database)
        settings = {
            "PATH": "/usr/bin:/bin",
            "SECRET_KEY": SECRET_KEY,
            "DATABASE_URL": f"sqlite:///{self._database}",
            "PUBLIC_URL": proxy.url,
            "TRUSTED_PROXIES": "1",
            "SESSION_COOKIE_NAME": "__Host-session",
            **environment(self.simulator.url, *USUAL),
        }
        gunicorn = [sys.executable, "-m", "gunicorn", "--workers", "1", "--threads", "4"]
        bind = ["--bind", f"127.0.0.1:{proxy.upstream}", "app:create_app()"]
        log = folder / "gunicorn.log"
        self._program = Program([*gunicorn, *bind], proxy.upstream, log, tree, settings)

    def browser(self) -> Browser:
        browser = Browser(self)  # type: ignore[arg-type]
        browser.http.verify = str(self.proxy.certificate)
        return browser

    def rows(self, sql: str) -> list[Any]:
        with sqlite3.connect(self._database) as connection:
            return connection.execute(sql).fetchall()

    def stop(self) -> None:
        self.proxy.stop()  # first: it holds connections
        self._program.stop()
