"""Applications that know nothing of sign-in, on hosts of their own behind a real proxy, with the
files of deploy/ as an operator has them.

Replaced are the ports, hosts and certificates.
"""

import html
import json
import os
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from tests.browser import Browser, Page
from tests.commands.console import run
from tests.processes import free_port
from tests.site import Site, Sites
from tests.system.packages.fronts import DEPLOY, Program

HOSTS = {"login": "localhost", "wiki": "wiki.localhost", "photos": "photos.localhost"}
# nginx and Caddy serve the login server too; Envoy's file has one application.
GATED = {"nginx": ("wiki", "photos"), "caddy": ("wiki", "photos"), "envoy": ("wiki",)}
NAVIGATION = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
Change = Callable[[str], str]


def resolve(monkeypatch: Any) -> None:
    """Let names below .localhost lead to this machine, as in browsers (RFC 6761 6.3)."""
    real = socket.getaddrinfo

    def find(host: Any, *args: Any, **kwargs: Any) -> Any:
        is_ours = isinstance(host, str) and host.endswith(".localhost")
        return real("127.0.0.1" if is_ours else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", find)


class Application:
    """An application that shows what comes to it. ``requests``: all of that."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        application = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                headers = [[name, value] for name, value in self.headers.items()]
                about = {"method": self.command, "target": self.path, "headers": headers}
                application.requests.append(about)
                if self.headers.get("Upgrade"):
                    self.switch()
                    return
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = json.dumps(about).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def switch(self) -> None:
                """Send back whatever comes, as a WebSocket of an application would."""
                self.send_response(101)
                self.send_header("Upgrade", "websocket")
                self.send_header("Connection", "Upgrade")
                self.end_headers()
                self.close_connection = True
                while data := self.connection.recv(100):
                    self.connection.sendall(data)

            do_POST = do_OPTIONS = do_GET  # noqa: N815 (as the standard library calls them)

            def log_message(self, *_args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Street:
    """A proxy with applications behind it, and a login server.

    ``url`` is that of the login server, so a Browser takes it for a site. ``change`` changes the
    text of the proxy's file.
    """

    def __init__(  # noqa: PLR0917
        self, kind: str, program: str, sites: Sites, certificate: Path, folder: Path, change: Change
    ) -> None:
        self.port, self.probe_port, self.folder = free_port(), free_port(), folder
        self.certificate = certificate / "fullchain.pem"
        self.site: Site = sites()
        self.apps = {name: Application() for name in GATED[kind]}
        folder.mkdir()
        command = [program, *RENDER[kind](self, change)]
        place = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        self._program = Program(command, self.port, folder / "proxy.log", folder, place)
        self.url = self.site.url
        if "photos" in self.apps:
            self.url = self.origin("login")
            self.site.simulator.register("google", f"{self.url}/login/google/authorized")
            self.site.restart(PUBLIC_URL=self.url, TRUSTED_PROXIES="1")

    def origin(self, name: str) -> str:
        return f"https://{HOSTS[name]}:{self.port}"

    def add_gate(self, name: str, *options: str) -> None:
        ended = run(self.site, "gates", "add", name, "--host", self.origin(name), *options)
        assert ended.exit_code == 0, ended.output

    def browser(self) -> Browser:
        browser = Browser(self)  # type: ignore[arg-type]
        browser.http.verify = str(self.certificate)
        browser.http.headers.update(NAVIGATION)
        return browser

    def stop(self) -> None:
        self._program.stop()
        for app in self.apps.values():
            app.stop()

    # What an operator replaces.

    def fill(self, text: str) -> str:
        """Replace hosts, ports and certificates."""
        server = self.site.url.rpartition(":")[2]
        text = text.replace("127.0.0.1:8000", f"127.0.0.1:{server}")
        text = text.replace("127.0.0.1:8099", f"127.0.0.1:{self.probe_port}")
        text = re.sub(r"/etc/letsencrypt/live/[\w.]+", str(self.certificate.parent), text)
        text = text.replace("/var/log/nginx", str(self.folder))
        return re.sub(r"(\w+)\.example\.org", lambda found: self.place(found[1]), text)

    def place(self, name: str) -> str:
        return f"{HOSTS[name]}:{self.port}"

    def gates(self, example: str, change: Change) -> Iterator[str]:
        """The file for each application."""
        for name in self.apps:
            text = change((DEPLOY / example).read_text()).replace("wiki", name)
            yield text.replace("127.0.0.1:3000", f"127.0.0.1:{self.apps[name].port}")


def nginx(street: Street, change: Change) -> list[str]:
    texts = [
        (DEPLOY / "nginx/quickstep.conf").read_text(),
        *street.gates("nginx/gate.conf", change),
    ]
    text = "\n".join(texts)
    text = re.sub(r".*listen \[::\].*\n", "", text)
    text = text.replace("listen 80;", f"listen 127.0.0.1:{free_port()};")
    text = text.replace("listen 443 ", f"listen 127.0.0.1:{street.port} ")
    text = re.sub(r"server_name (\w+)\.example\.org", lambda m: f"server_name {HOSTS[m[1]]}", text)
    main, folder = street.folder / "nginx.conf", street.folder
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    main.write_text(
        f"{'user root;' if os.geteuid() == 0 else ''}\ndaemon off;\nworker_processes 1;\n"
        f"pid {folder}/nginx.pid;\nerror_log stderr;\nworker_rlimit_nofile 16384;\n"
        f"events {{ worker_connections 4096; }}\nhttp {{\n{temporary}{street.fill(text)}\n}}\n"
    )
    return ["-e", "stderr", "-c", str(main)]


def caddy(street: Street, change: Change) -> list[str]:
    parts = [
        (DEPLOY / "caddy/Caddyfile").read_text(),
        *street.gates("caddy/Caddyfile.gate", change),
    ]
    keys = f"{street.certificate} {street.certificate.parent}/privkey.pem"

    def begin(found: re.Match[str]) -> str:
        return f"{HOSTS[found[1]]} {{\n\ttls {keys}"

    text = re.sub(r"(?m)^(\w+)\.example\.org {", begin, "\n".join(parts))
    ports = f"\thttp_port {free_port()}\n\thttps_port {street.port}\n"
    here = f"{{\n\tadmin off\n\tdefault_bind 127.0.0.1\n{ports}"
    text = street.fill(re.sub(r"(?m)^{\n", here, text, count=1))
    main = street.folder / "Caddyfile"
    main.write_text(text)
    return ["run", "--adapter", "caddyfile", "--config", str(main)]


def envoy(street: Street, change: Change) -> list[str]:
    (text,) = street.gates("envoy/gate.yaml", change)
    text = text.replace("0.0.0.0, port_value: 443}", f"127.0.0.1, port_value: {street.port}}}")
    text = text.replace("port_value: 3000", f"port_value: {street.apps['wiki'].port}")
    text = text.replace("port_value: 8099", f"port_value: {street.probe_port}")
    text = text.replace("port_value: 8000", f"port_value: {street.site.url.rpartition(':')[2]}")
    main = street.folder / "gate.yaml"
    main.write_text(street.fill(text))
    return ["-c", str(main), "--concurrency", "1", "--use-dynamic-base-id", "-l", "warning"]


RENDER: dict[str, Callable[[Street, Change], list[str]]] = {
    "nginx": nginx,
    "caddy": caddy,
    "envoy": envoy,
}


@contextmanager
def street_of(*args: Any) -> Iterator[Street]:
    street = Street(*args)
    try:
        yield street
    finally:
        street.stop()


def open_page(browser: Browser, url: str) -> Page:
    """Open a page; redirects are followed wherever they lead, with the cookies of each host."""
    page = browser.fetch(url)
    for _ in range(10):
        target = page.location if page.status in (302, 303) else page.onward
        if not target:
            return page
        page = browser.fetch(urljoin(page.url, html.unescape(target)))
    raise AssertionError(f"redirected in circles, last to {page.location}")


@contextmanager
def websocket(street: Street, name: str, cookie: str) -> Iterator[tuple[int, ssl.SSLSocket]]:
    """Open a WebSocket as a page of an application does (RFC 6455 4.1): the status of the answer,
    and the connection."""
    about = {
        "Host": street.place(name),
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-Fetch-Mode": "websocket",
        "Sec-Fetch-Dest": "empty",
        "Origin": street.origin(name),
        "Cookie": cookie,
    }
    lines = ["GET /live HTTP/1.1", *(f"{each}: {value}" for each, value in about.items())]
    context = ssl.create_default_context(cafile=str(street.certificate))
    with (
        socket.create_connection(("127.0.0.1", street.port), 20) as plain,
        context.wrap_socket(plain, server_hostname=HOSTS[name]) as connection,
    ):
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = b""
        while b"\r\n\r\n" not in answer and (data := connection.recv(1)):
            answer += data
        yield int(answer.split()[1]), connection


def received(page: Page) -> dict[str, str]:
    """What the application received: headers by their lower-case names."""
    return {name.lower(): value for name, value in page.response.json()["headers"]}
