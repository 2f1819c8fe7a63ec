"""Two real instances behind nginx: gunicorn, PostgreSQL and Redis as an operator runs them."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, cast
from urllib.request import urlopen

from sqlalchemy import create_engine, text

from simulator import Server, environment
from tests.browser import Browser, Page
from tests.processes import children_of, free_port, until
from tests.redis_server import RedisServer
from tests.site import SECRET_KEY, USUAL, Site

ROOT = Path(__file__).parents[3]
SECONDS = 30
# X-Instance and X-Person are of these tests: which instance, and whose address.
NGINX = """
{user}
daemon off;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path temp; proxy_temp_path temp;
    fastcgi_temp_path temp; uwsgi_temp_path temp; scgi_temp_path temp;
    upstream both {{ {both} }}
    {each}
    map $http_x_instance $instance {{ default both; {choices} }}
    map $http_x_person $person {{ default $http_x_person; "" $remote_addr; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://$instance;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $person;
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_set_header X-Forwarded-Proto $scheme;
            # Of requests that were sent on, only those that change nothing go to the next one.
            proxy_next_upstream error;
            proxy_connect_timeout 2s;
            proxy_read_timeout 30s;
            add_header X-Served-By $upstream_addr always;
        }}
    }}
}}
"""


class Instance:
    """A gunicorn of its own process group. Its log is kept in a file."""

    def __init__(self, name: str, settings: dict[str, str], folder: Path) -> None:
        self.port, self.name = free_port(), name
        self.settings = settings
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = "--workers 1 --threads 8 --graceful-timeout 10"
        command = [sys.executable, "-m", "gunicorn", *options.split(), "--no-control-socket"]
        command += ["--bind", f"127.0.0.1:{self.port}", "app:create_app()"]
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self.settings, stderr=log, stdout=log, start_new_session=True
            )

    @property
    def log_file(self) -> Path:
        return self._folder / f"{self.name}.log"

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def is_up(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/openapi.json", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            assert self._process is None or self._process.poll() is None, self.log[-4000:]
            return False

    def wait(self) -> None:
        until(self.is_up, f"instance {self.name} did not start")

    def send(self, number: signal.Signals) -> None:
        assert self._process
        self._process.send_signal(number)

    def workers(self) -> list[int]:
        assert self._process
        return children_of(self._process.pid)

    def end(self) -> None:
        """By SIGTERM: what is under way is answered first."""
        self.send(signal.SIGTERM)
        assert self._process
        self._process.wait(SECONDS)

    def kill(self) -> None:
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def reload(self) -> None:
        """kill -HUP: new workers with new settings, then an end to the old ones."""
        before = set(self.workers())
        self.send(signal.SIGHUP)
        until(
            lambda: (now := set(self.workers())) and not now & before and self.is_up(),
            f"instance {self.name} did not reload",
        )


class Nginx:
    """In front of instances: round robin, no affinity."""

    def __init__(self, program: str, folder: Path, instances: list[Instance], port: int) -> None:
        (folder / "temp").mkdir()
        servers = [f"server 127.0.0.1:{each.port} max_fails=0;" for each in instances]
        config = NGINX.format(
            user="user root;" if os.geteuid() == 0 else "",
            both=" ".join(servers),
            each=" ".join(f"upstream only{i} {{ {one} }}" for i, one in enumerate(servers)),
            choices=" ".join(f"{i} only{i};" for i in range(len(servers))),
            port=port,
        )
        (folder / "nginx.conf").write_text(config)
        command = [program, "-p", str(folder), "-c", "nginx.conf", "-e", "error.log"]
        self._process = subprocess.Popen(command, start_new_session=True)

    def stop(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class Cluster:
    """What the tests take hold of. ``url`` is the public URL."""

    def __init__(self, url: str, database_url: str, redis: RedisServer, folder: Path) -> None:
        self.url, self.redis = url, redis
        self.folder = folder
        self.engine = create_engine(database_url)
        self.simulator: Server | None = None
        self.instances: list[Instance] = []
        self.keys(SECRET_KEY)

    def keys(self, current: str, *fallbacks: str) -> None:
        """Write the files of the keys; they count for workers that start later."""
        (self.folder / "key").write_text(current)
        (self.folder / "fallbacks").write_text(",".join(fallbacks) or "none-other-than-this-one")

    def start(self, simulator: Server, nginx: str) -> Nginx:
        self.simulator = simulator
        settings = {
            "PATH": os.environ["PATH"],
            "PUBLIC_URL": self.url,
            "DATABASE_URL": self.engine.url.render_as_string(hide_password=False),
            "REDIS_URL": self.redis.url,
            "SECRET_KEY_FILE": str(self.folder / "key"),
            "SECRET_KEY_FALLBACKS_FILE": str(self.folder / "fallbacks"),
            "TRUSTED_PROXIES": "1",
            "REFUSALS_PER_MINUTE": "6",
            "LOG_FORMAT": "json",
            **environment(simulator.url, *USUAL),
        }
        for name in ("one", "two"):
            self.instances.append(Instance(name, settings, self.folder))
            self.instances[-1].start()
        proxy = Nginx(nginx, self.folder, self.instances, int(self.url.rpartition(":")[2]))
        for each in self.instances:
            each.wait()
        return proxy

    def browser(self, instance: int | None = None, person: str = "") -> Browser:
        """A browser whose requests go to both in turn, or to the one of that number.

        ``person``: the address it has."""
        browser = Browser(cast(Site, self))  # of a site it needs the address only
        if instance is not None:
            send_to(browser, instance)
        if person:
            browser.http.headers["X-Person"] = person
        return browser

    def rows(self, sql: str, **parameters: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(text(sql), parameters))

    def empty(self) -> None:
        """Nobody, nothing begun, nothing counted; everything up."""
        with self.engine.begin() as connection:
            connection.execute(text("TRUNCATE users, flows, clients, revocations CASCADE"))
        self.redis.ask("FLUSHALL")

    def log(self) -> str:
        return "".join(each.log for each in self.instances)


def send_to(browser: Browser, instance: int | None) -> Browser:
    """Have a browser's requests go to one instance from now on; None: to both in turn."""
    browser.http.headers.pop("X-Instance", None)
    if instance is not None:
        browser.http.headers["X-Instance"] = str(instance)
    return browser


def served_by(page: Page) -> str:
    """Which instance answered, or all that were tried."""
    return str(page.headers["X-Served-By"])
