"""gunicorn_worker.py in a real gunicorn: who connects and says nothing, who does not hang up, and
more requests than threads."""

import json
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import requests

from tests.conftest import lack
from tests.gunicorn import Gunicorn

# In /slow each waits until the test lets them go, by a file.
APP = """
import os, threading, time

busy, most = 0, 0
lock = threading.Lock()

def app(environ, start_response):
    global busy, most
    with lock:
        busy += 1
        most = max(most, busy)
    while environ["PATH_INFO"] == "/slow" and not os.path.exists(os.environ["MAY_GO"]):
        time.sleep(0.02)
    if environ["PATH_INFO"] == "/fails":
        busy -= 1
        raise RuntimeError("on purpose")
    body = b'{"busy": %d, "most": %d}' % (busy, most)
    with lock:
        busy -= 1
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""
THREADS = 2
# gunicorn's own worker is busy for 2 to 5 seconds with each of as many as these.
RUDE = 6 * THREADS
PATIENCE = 10
ONCE = ("GET / HTTP/1.1", "Host: x", "Connection: close")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Gunicorn]]:
    if not (Path("/proc/self").exists() and Path("/dev/shm").exists()):
        lack("/proc and /dev/shm, by which servers are looked into")
    running = []

    def run(*flags: str, before: str = "") -> Gunicorn:
        (tmp_path / "scene.py").write_text(before + APP)
        own = ["-w", "1", "--threads", str(THREADS), "--pythonpath", str(tmp_path)]
        may_go = str(tmp_path / "may go")
        server = Gunicorn(tmp_path / "log", *own, *flags, app="scene:app", MAY_GO=may_go)
        running.append(server)
        return server.wait()

    yield run
    for server in running:
        server.stop()


@pytest.fixture
def server(start: Callable[..., Gunicorn]) -> Gunicorn:
    return start()


@pytest.fixture
def let_go(tmp_path: Path) -> Callable[[], None]:
    return (tmp_path / "may go").touch


@pytest.fixture
def connect_to() -> Iterator[Callable[..., socket.socket]]:
    opened = []

    def run(server: Gunicorn, *lines: str) -> socket.socket:
        opened.append(socket.create_connection(("127.0.0.1", server.port), timeout=30))
        if lines:
            opened[-1].sendall("\r\n".join([*lines, "", ""]).encode())
        return opened[-1]

    yield run
    for connection in opened:
        connection.close()


@pytest.fixture
def connect(
    server: Gunicorn, connect_to: Callable[..., socket.socket]
) -> Callable[..., socket.socket]:
    return partial(connect_to, server)


def said(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


def is_cut_off(connection: socket.socket, more: bytes = b"more") -> bool:
    try:
        connection.sendall(more)
    except OSError:
        return True
    return False


def test_who_connects_and_says_nothing_keeps_no_thread(server, connect):
    silent = [connect() for _ in range(RUDE)]
    for _ in range(3):
        assert requests.get(server.url, timeout=PATIENCE).ok
    silent[0].sendall("\r\n".join([*ONCE, "", ""]).encode())
    assert said(silent[0]).startswith(b"HTTP/1.1 200")


def test_who_says_nothing_for_long_is_let_go(connect):
    assert connect().recv(1) == b""


def test_who_is_answered_and_does_not_hang_up_keeps_nobody_waiting(server, connect):
    lingering = [connect(*ONCE) for _ in range(RUDE)]
    assert lingering[0].recv(65536).startswith(b"HTTP/1.1 200")
    for _ in range(3):
        assert requests.get(server.url, timeout=PATIENCE).ok
    for connection in lingering[1:]:
        assert said(connection).startswith(b"HTTP/1.1 200")
    server.until(lambda: all(map(is_cut_off, lingering)))


def test_who_is_answered_and_goes_on_sending_is_cut_off(server, connect):
    connection = connect(*ONCE)
    assert said(connection).startswith(b"HTTP/1.1 200")
    server.until(lambda: is_cut_off(connection, 4096 * b"x"))
    assert requests.get(server.url, timeout=PATIENCE).ok


def test_a_connection_serves_many_requests_and_what_comes_with_them(connect):
    """The second request comes in one packet with the first."""
    connection = connect("GET / HTTP/1.1", "Host: x", "", *ONCE)
    assert said(connection).count(b"HTTP/1.1 200") == 2


def test_a_request_that_fails_leaves_its_thread_as_good_as_before(server):
    for _ in range(3 * THREADS):
        assert requests.get(f"{server.url}/fails", timeout=PATIENCE).status_code == 500
    assert requests.get(server.url, timeout=PATIENCE).json()["busy"] == 1


def test_more_requests_than_threads_wait_for_their_turn(server, let_go):
    number = 5 * THREADS
    with ThreadPoolExecutor(number) as pool:
        answers = [
            pool.submit(requests.get, f"{server.url}/slow", timeout=30) for _ in range(number)
        ]
        threading.Timer(0.5, let_go).start()
        assert all(answer.result().ok for answer in answers)
    assert json.loads(requests.get(server.url, timeout=30).text)["most"] == THREADS


def test_a_stop_answers_all_who_wait_and_waits_for_nobody_silent(server, connect, let_go):
    silent = [connect() for _ in range(3)]
    slow = [connect("GET /slow HTTP/1.1", "Host: x") for _ in range(3 * THREADS)]
    server.signal(signal.SIGTERM)
    server.until(lambda: "Handling signal: term" in server.log)
    let_go()
    for connection in slow:
        assert said(connection).startswith(b"HTTP/1.1 200")
    assert server.process.wait(20) == 0
    for connection in silent:
        assert connection.recv(1) == b""


# A stop that is asked for in the very pass of the main loop that finds the worker full.
STOP_WHEN_FULL = """
import os, signal, time

exec(open("gunicorn.conf.py").read())

def post_worker_init(worker):
    notify = worker.notify

    def stop_when_full():
        notify()
        if worker.alive and worker.nr_conns >= worker.worker_connections:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)  # until somebody has gone

    worker.notify = stop_when_full
"""


def test_a_stop_that_comes_as_the_worker_is_full_loses_nobody(tmp_path, start, let_go, connect_to):
    (tmp_path / "conf.py").write_text(STOP_WHEN_FULL)
    full = 2 * THREADS
    server = start("-c", str(tmp_path / "conf.py"), "--worker-connections", str(full))
    slow = [connect_to(server, "GET /slow HTTP/1.1", "Host: x") for _ in range(full - 1)]
    one_more = connect_to(server)
    threading.Timer(0.3, one_more.close).start()  # there is room again, and the door is shut
    threading.Timer(2, let_go).start()
    for connection in slow:
        assert said(connection).startswith(b"HTTP/1.1 200")
    server.until(lambda: "Worker exiting" in server.log)
    assert "Traceback" not in server.log


def test_who_cannot_be_let_in_at_a_stop_is_no_harm_to_who_is_in(start, connect_to, let_go):
    """There are more at the door than the process may have files open."""
    few = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (150, 150))"
    server = start("--worker-connections", "40", before=few)
    slow = [connect_to(server, "GET /slow HTTP/1.1", "Host: x") for _ in range(THREADS)]
    waiting = [connect_to(server, *ONCE) for _ in range(200)]
    server.until(lambda: len(waiting) == 200)
    server.signal(signal.SIGTERM)
    server.until(lambda: "Handling signal: term" in server.log)
    let_go()
    for connection in slow:
        assert said(connection).startswith(b"HTTP/1.1 200")
    assert "Traceback" not in server.log


def test_a_quick_stop_waits_for_no_request(server, connect):
    connect("GET /slow HTTP/1.1", "Host: x")
    server.signal(signal.SIGQUIT)
    assert server.process.wait(20) == 0
