"""gunicorn.conf.py: what an operator sees of the real server."""

import errno
import json
import math
import os
import resource
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from config import processes
from simulator import environment
from tests.gunicorn import Gunicorn
from tests.missing import lack
from tests.site import SECRET_KEY

PROBE = """
import json

def app(environ, start_response):
    names = ("wsgi.url_scheme", "SCRIPT_NAME", "REMOTE_ADDR", "wsgi.multithread")
    body = json.dumps({name: environ.get(name) for name in names}).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Gunicorn]]:
    if not (Path("/proc/self").exists() and Path("/dev/shm").exists()):
        lack("/proc and /dev/shm, by which servers are looked into")
    running: list[Gunicorn] = []

    def run(*flags: str, **more: Any) -> Gunicorn:
        server = Gunicorn(tmp_path / f"{len(running)}.log", *flags, **more)
        running.append(server)
        return server

    yield run
    for server in running:
        server.stop()


@pytest.fixture
def serve(start: Callable[..., Gunicorn], template: Path) -> Callable[..., Gunicorn]:
    """The application, on a database that nobody writes to."""

    def run(*flags: str, **settings: Any) -> Gunicorn:
        database = {"DATABASE_URL": f"sqlite:///{template}", "SECRET_KEY": SECRET_KEY}
        return start(*flags, **(database | settings)).wait()

    return run


def test_it_serves_with_two_workers_or_more_in_our_log_format(serve):
    server = serve(LOG_FORMAT="json")
    assert processes.worker_count() >= 2
    server.until(lambda: len(server.workers()) == processes.worker_count())
    assert requests.get(f"{server.url}/login", timeout=30).status_code == 200
    for line in server.log.splitlines():
        assert json.loads(line)["event"]
    assert "Listening at" in server.log


@pytest.mark.parametrize(
    ("flags", "settings", "count"),
    [((), {"WEB_CONCURRENCY": "3"}, 3), (("-w", "1"), {"WEB_CONCURRENCY": "3"}, 1)],
)
def test_who_says_how_many_is_heard(serve, flags, settings, count):
    server = serve(*flags, **settings)
    server.until(lambda: len(server.workers()) == count)


def test_faults_in_the_settings_are_told_once_and_end_it(start):
    server = start(PUBLIC_URL="nowhere", WEB_CONCURRENCY="1")
    assert server.process.wait(60) == 1
    assert server.log.count("PUBLIC_URL: ") == 1
    assert "Traceback" not in server.log


def test_a_hang_up_builds_anew_and_not_from_faulty_settings(serve, tmp_path):
    secret = tmp_path / "token"
    secret.write_text("the first token of all")
    server = serve("-w", "1", METRICS_TOKEN_FILE=str(secret))

    def opens(token: str) -> bool:
        answer = server.get("/metrics", Authorization=f"Bearer {token}")
        return answer is not None and answer.status_code == 200

    assert opens("the first token of all")
    (worker,) = server.workers()
    secret.write_text("short")
    server.signal(signal.SIGHUP)
    server.until(lambda: "reload_refused" in server.log)
    assert "METRICS_TOKEN" in server.log
    assert server.workers() == [worker]
    assert opens("the first token of all")
    secret.write_text("the second token of all")
    server.signal(signal.SIGHUP)
    server.until(lambda: worker not in server.workers())
    server.until(lambda: opens("the second token of all"))
    assert not opens("the first token of all")


def limits_of(pid: int) -> tuple[int, ...]:
    return resource.prlimit(pid, resource.RLIMIT_NOFILE)


def test_the_limit_of_open_files_is_raised_as_far_as_it_may_be(serve):
    server = serve("-w", "1", files=(512, 2048))
    assert [limits_of(pid) for pid in server.workers()] == [(2048, 2048)]


def test_more_silent_visitors_than_there_are_files_end_no_worker(serve):
    server = serve("-w", "1", files=(400, 400))
    (worker,) = server.workers()
    most = processes.connection_limit(400)
    silent = server.connect(600)
    server.until(lambda: len(list(Path(f"/proc/{worker}/fd").iterdir())) >= most)
    time.sleep(1)  # so that it would have accepted all of them
    for each in silent:
        each.close()
    assert requests.get(f"{server.url}/login", timeout=30).status_code == 200
    assert server.workers() == [worker]
    assert "Traceback" not in server.log


def test_gunicorn_itself_believes_no_forwarded_header(start, tmp_path):
    """By default it does from this machine, where every local proxy and tunnel is."""
    (tmp_path / "probe.py").write_text(PROBE)
    server = start("-w", "1", "--pythonpath", str(tmp_path), app="probe:app").wait()
    expected = {
        "wsgi.url_scheme": "http",
        "SCRIPT_NAME": "",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.multithread": True,
    }
    for headers in (
        ["X-Forwarded-Proto: https", "X-Forwarded-For: 203.0.113.9"],
        ["X-Forwarded-Proto: https", "X-Forwarded-Ssl: off"],
    ):
        answer = server.raw("GET /login HTTP/1.1", "Host: x", "Connection: close", *headers)
        assert json.loads(answer.partition("\r\n\r\n")[2]) == expected
    mounted = server.raw(
        "GET /login HTTP/1.1", "Host: x", "Connection: close", "SCRIPT_NAME: /login"
    )
    assert mounted.startswith("HTTP/1.1 400") or json.loads(mounted.splitlines()[-1]) == expected


def test_no_address_with_a_code_gets_into_its_log(serve):
    server = serve("-w", "1", "--log-level", "debug", LOG_LEVEL="DEBUG")
    server.get("/login/google/authorized?state=a-state&code=never-logged")
    for lines in (
        ["GET /login?code=never-logged HTTP/9.9"],
        ["G{T /login?code=never-logged HTTP/1.1"],
        [f"GET /login?code=never-logged{'x' * 9000} HTTP/1.1"],
        ["GET /login HTTP/1.1", "Cookie session=never-logged"],
        ["GET /login HTTP/1.1", "Expect: never-logged"],
        ["GET /login HTTP/1.1", "Transfer-Encoding: never-logged"],
        ["GET /login HTTP/1.1", "Cookie: a", " session=never-logged"],
    ):
        server.raw(lines[0], "Connection: close", *lines[1:])
    server.until(lambda: server.log.count("Invalid request") >= 6)
    assert "never-logged" not in server.log


def test_a_stop_lets_a_callback_end_that_waits_for_its_provider(
    start, make_look_alikes, template, tmp_path
):
    """SIGTERM while a slow provider is asked: the person is signed in all the same."""
    database = tmp_path / "own.sqlite"
    database.write_bytes(template.read_bytes())
    look_alikes = make_look_alikes()
    asked, may_answer = threading.Event(), threading.Event()

    def slow(what: str) -> None:
        if what == "token":
            asked.set()
            assert may_answer.wait(10)

    look_alikes.github.note = slow
    server = start(
        "-w",
        "2",
        DATABASE_URL=f"sqlite:///{database}",
        SECRET_KEY=SECRET_KEY,
        **environment(look_alikes.url, "github"),
    ).wait()
    look_alikes.register("github", "http://localhost:5000/login/github/authorized")
    with requests.Session() as http:
        begun = http.get(f"{server.url}/login/github", timeout=30, allow_redirects=False)
        callback = look_alikes.choose(begun.headers["Location"], "ada")
        callback = callback.replace("http://localhost:5000", server.url)
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(http.get, callback, timeout=30, allow_redirects=False)
            assert asked.wait(30)
            server.signal(signal.SIGTERM)
            # Nobody waits at a door that will not open again.
            server.until(lambda: server.get("/livez") is None)
            may_answer.set()
            assert answer.result(30).headers["Location"] == "/account"
    assert "session" in http.cookies
    assert server.process.wait(30) == 0


def test_a_worker_that_is_to_stop_is_not_ready(serve):
    """A proxy that asks on a connection it has kept learns of it."""
    server = serve("-w", "1")
    with requests.Session() as http:
        assert http.get(f"{server.url}/readyz", timeout=30).status_code == 200
        server.signal(signal.SIGTERM)
        server.until(lambda: "Handling signal: term" in server.log)
        try:
            answer = http.get(f"{server.url}/readyz", timeout=30)
        except requests.ConnectionError:
            return  # it was gone already
        assert answer.status_code == 503
        assert "process: is stopping" in answer.text
    assert server.process.wait(30) == 0


def test_a_stop_answers_every_connection_that_the_kernel_has_accepted(serve):
    """A proxy does not repeat a POST whose connection was reset."""
    server = serve("-w", "1")
    (worker,) = server.workers()
    os.kill(worker, signal.SIGSTOP)  # so that they wait in the socket's queue
    with ExitStack() as stack:
        waiting = [stack.enter_context(connection) for connection in server.connect(30)]
        for connection in waiting:
            connection.settimeout(30)
            assert select.select([], [connection], [], 30)[1]
            connection.sendall(b"POST /logout HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        server.signal(signal.SIGTERM)
        server.until(lambda: "Handling signal: term" in server.log)
        late = stack.enter_context(server.connect(1)[0])
        assert not select.select([], [late], [], 0.3)[1]  # it is not let in any more
        os.kill(worker, signal.SIGCONT)
        assert {connection.recv(9) for connection in waiting} == {b"HTTP/1.1 "}
        assert select.select([], [late], [], 30)[1]
        assert late.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED
    assert server.process.wait(30) == 0


def test_the_counts_of_all_workers_are_one(serve):
    server = serve("-w", "3")
    folders = f"quickstep-{server.process.pid}-*"
    assert len(list(Path("/dev/shm").glob(folders))) == 1
    for _ in range(30):  # each by a connection of its own, so by any worker
        requests.get(f"{server.url}/login", timeout=30)
    counted = 'quickstep_request_seconds_count{endpoint="login.choose",status="2xx"} 30.0'
    for _ in range(5):
        assert counted in server.get("/metrics").text
    server.signal(signal.SIGTERM)
    assert server.process.wait(30) == 0
    assert not list(Path("/dev/shm").glob(folders))


def test_what_a_killed_server_left_is_removed_and_nothing_else(serve):
    def folder(server: Gunicorn) -> Path:
        (found,) = Path("/dev/shm").glob(f"quickstep-{server.process.pid}-*")
        os.utime(found, (1, 1))  # long ago
        return found

    killed, running = serve("-w", "1"), serve("-w", "1")
    left, used = folder(killed), folder(running)
    workers = killed.workers()
    killed.process.kill()
    killed.process.wait()
    theirs = [Path(f"/proc/{worker}") for worker in workers]
    running.until(lambda: not any(path.exists() for path in theirs))
    serve("-w", "1")
    assert not left.exists()
    assert used.exists()


class TestWorkerCount:
    @pytest.fixture
    def group(self, tmp_path):
        membership = tmp_path / "cgroup"

        def write(lines: str, **files: str) -> tuple[Path, Path]:
            membership.write_text(lines)
            for name, text in files.items():
                path = tmp_path / "fs" / name.replace("__", "/").replace("_DOT_", ".")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return tmp_path / "fs", membership

        return write

    def test_a_quota_of_the_second_version_or_of_a_group_above(self, group):
        where = group(
            "0::/pod/box\n", cpu_DOT_max="max 100000\n", pod__cpu_DOT_max="350000 100000\n"
        )
        assert processes.cpu_quota(*where) == 3.5
        where = group("0::/pod/box\n", pod__box__cpu_DOT_max="50000 100000\n")
        assert processes.cpu_quota(*where) == 0.5
        assert processes.worker_count(*where) == 2

    def test_a_quota_of_the_first_version(self, group):
        where = group(
            "4:memory:/x\n3:cpu,cpuacct:/x\n",
            **{"cpu,cpuacct__x__cpu_DOT_cfs_quota_us": "250000\n"},
            **{"cpu,cpuacct__x__cpu_DOT_cfs_period_us": "100000\n"},
        )
        assert processes.cpu_quota(*where) == 2.5

    def test_without_a_limit(self, group):
        assert processes.cpu_quota(*group("0::/\n")) == math.inf
        where = group("3:cpu:/\n", cpu__cpu_DOT_cfs_quota_us="-1\n")
        assert processes.cpu_quota(*where) == math.inf
        assert 2 <= processes.worker_count(*where) <= 8
