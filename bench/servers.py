"""Servers as processes of their own: started, measured for CPU and memory, stopped."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from dotenv import dotenv_values

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30.0
WORKERS, THREADS = 2, 8
CPUCLOCK_SCHED = 2
TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def plain_environment() -> dict[str, str]:
    """Return an environment without the caller's settings: no proxies, no CA files, no .env of this
    project."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    # An empty value counts as unset, and overrides the one in .env.
    unset = dict.fromkeys(dotenv_values(ROOT / ".env"), "")
    return {**unset, **kept, "PYTHONPATH": str(ROOT)}


@dataclass
class Provider:
    """The fake provider's process, and its control port."""

    certificate: Path
    first_port: int = 0
    ports: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> Self:
        command = [
            sys.executable,
            "-m",
            "bench.provider",
            str(self.certificate),
            str(self.first_port),
        ]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("the look-alike provider did not start")
        self.ports = json.loads(line)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def url(self, host: str) -> str:
        return f"https://127.0.0.1:{self.ports[host]}"

    def control(self, path: str) -> dict[str, int]:
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["control"], timeout=10)
        connection.request("GET", path)
        said: dict[str, int] = json.loads(connection.getresponse().read())
        connection.close()
        return said

    def settings(self) -> dict[str, str]:
        """Return our settings for signing in there."""
        clients = {
            f"{name}_CLIENT_{part}": "bench"
            for name in ("GOOGLE", "GITHUB", "FACEBOOK")
            for part in ("ID", "SECRET")
        }
        return clients | {
            "GOOGLE_ISSUER": self.url("openid"),
            "GITHUB_AUTHORIZATION_URL": f"{self.url('github')}/authorize",
            "GITHUB_TOKEN_URL": f"{self.url('github')}/access_token",
            "GITHUB_API_URL": f"{self.url('github_api')}/",
            "FACEBOOK_AUTHORIZATION_URL": f"{self.url('facebook')}/{{version}}/authorize",
            "FACEBOOK_TOKEN_URL": f"{self.url('facebook')}/{{version}}/oauth/access_token",
            "FACEBOOK_API_URL": f"{self.url('facebook')}/{{version}}/",
        }


@dataclass
class Server:
    """One server. ``first`` responds with 200 as soon as it is up; ``me`` reports the signed-in
    person. It runs in ``folder``: gunicorn reads a gunicorn.conf.py there, so only ours runs in the
    project's root."""

    name: str
    target: str
    folder: Path
    log: Path
    environment: dict[str, str]
    first: str = "/"
    me: str = "/me"
    providers: tuple[str, ...] = ("google",)
    engine: str = "gunicorn"
    threads: int = THREADS
    port: int = 0
    start_seconds: float = 0.0
    start_cpu: float = 0.0

    def command(self) -> list[str]:
        if self.engine == "granian":
            options = ["--interface", "wsgi", "--factory", "--no-ws", "--log-level", "warning"]
            place = ["--host", "127.0.0.1", "--port", str(self.port)]
            workers = ["--workers", str(WORKERS), "--blocking-threads", str(self.threads)]
            target = self.target.removesuffix("()")
            return [sys.executable, "-m", "granian", *options, *place, *workers, target]
        options = ["--workers", str(WORKERS), "--threads", str(self.threads)]
        place = ["--bind", f"127.0.0.1:{self.port}", "--no-control-socket"]
        return [sys.executable, "-m", "gunicorn", *options, *place, self.target]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Self:
        """Start and wait for the first 200; return the duration and the CPU used."""
        self.port = free_port()
        variables = {**plain_environment(), **self.environment}
        variables["PUBLIC_URL"] = f"http://localhost:{self.port}"
        began = time.perf_counter()
        self.log.touch()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), cwd=self.folder, env=variables, stdout=log, stderr=log
            )
        while not self._answers():
            if self._process.poll() is not None or time.perf_counter() > began + START_SECONDS:
                self.stop()
                raise SystemExit(f"{self.name} did not start:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.005)
        self.start_seconds = time.perf_counter() - began
        self.start_cpu = self.cpu()
        return self

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", self.first, headers={"Host": f"localhost:{self.port}"})
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            for pid in reversed(self.processes()):
                os.kill(pid, signal.SIGKILL)
            self._process.wait()

    def processes(self) -> list[int]:
        """Return the master and all its descendants."""
        parents = {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(path.parent.name)] = int(_after_name(path)[1])
            except OSError:
                continue  # it has just ended
        found = [self._process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found

    def cpu(self) -> float:
        """Return the seconds of user and system time that the processes have used."""
        return sum(cpu_of(pid) for pid in self.processes())

    def memory(self, key: str) -> list[float]:
        """Return MiB of each process, master first; ``key`` is Rss or Pss."""
        return [memory_of(pid, key) for pid in self.processes()]


def _after_name(path: Path) -> list[str]:
    """Return the fields of /proc/PID/stat from the third on: the name before may hold anything."""
    return path.read_text().rpartition(")")[2].split()


def cpu_of(pid: int) -> float:
    """Read the process's CPU clock, which the kernel keeps in nanoseconds (clock_getcpuclockid(3));
    /proc counts in hundredths of a second."""
    try:
        return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)
    except OSError:
        fields = _after_name(Path(f"/proc/{pid}/stat"))
        return (int(fields[11]) + int(fields[12])) / TICKS


def memory_of(pid: int, key: str) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def bring_up(server: Server) -> Server:
    """Upgrade our database."""
    run_python(["-m", "flask", "--app", "app", "db", "upgrade"], server.environment)
    return server


def run_python(arguments: list[str], environment: dict[str, str]) -> None:
    """Run a module to its end, in the servers' environment. Raises CalledProcessError."""
    variables: dict[str, Any] = {**plain_environment(), **environment}
    subprocess.run([sys.executable, *arguments], cwd=ROOT, env=variables, check=True)


def register_app(server: Server, *options: str) -> dict[str, str]:
    """Register an application at our server; return what ``clients add --json`` says of it."""
    return run_command(server, "clients", "add", "Bench", *options)


def run_command(server: Server, *words: str) -> dict[str, str]:
    """Run one of our commands with the settings of our server; return what it says as JSON."""
    command = ["-m", "flask", "--app", "app", *words, "--json"]
    variables = {**plain_environment(), **server.environment}
    made = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=variables, check=True, capture_output=True
    )
    said: dict[str, str] = json.loads(made.stdout)
    return said


def ours(
    provider: Provider, bundle: Path, database_url: str, log: Path, *, engine: str = "gunicorn"
) -> Server:
    """Return Quickstep as the README runs it."""
    environment = {
        **provider.settings(),
        "SECRET_KEY": "a secret key for the benchmark only",
        "DATABASE_URL": database_url,
        "SSL_CERT_FILE": str(bundle),
    }
    return Server(
        "ours" if engine == "gunicorn" else f"ours, {engine}",
        "app:create_app()",
        ROOT,
        log,
        environment,
        first="/login",
        me="/api/v1/me",
        providers=("google", "github", "facebook"),
        engine=engine,
    )


def stock(provider: Provider, bundle: Path, folder: Path, *, threads: int = THREADS) -> Server:
    """Return the stock app. With one thread per worker it mixes nobody up."""
    name = "stock" if threads > 1 else "stock, no threads"
    environment = {
        "BENCH_PROVIDER": provider.url("openid"),
        "BENCH_API": provider.url("openid_api"),
        "BENCH_STOCK_DATABASE": f"sqlite:///{folder}/stock-{threads}.sqlite",
        "REQUESTS_CA_BUNDLE": str(bundle),
        # Both servers use plain HTTP, as behind a proxy; oauthlib needs to be told.
        "OAUTHLIB_INSECURE_TRANSPORT": "1",
    }
    run_python(["-m", "bench.stock"], environment)
    target, log = "bench.stock:create_app()", folder / f"stock-{threads}.log"
    return Server(name, target, folder, log, environment, threads=threads)


def empty(folder: Path) -> Server:
    return Server("empty", "bench.empty:create_app()", folder, folder / "empty.log", {})
