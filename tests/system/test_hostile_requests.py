"""Requests that no well-behaved client sends, as a real server reads them: chunks and Host."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gunicorn import Gunicorn
from tests.site import SECRET_KEY

HOST = b"Host: localhost:5000\r\n"
END = b"0\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[Gunicorn]:
    log = tmp_path_factory.mktemp("gunicorn") / "log"
    settings: dict[str, Any] = {"DATABASE_URL": f"sqlite:///{template}", "SECRET_KEY": SECRET_KEY}
    running = Gunicorn(log, **settings, WEB_CONCURRENCY="1", METRICS_TOKEN="m" * 40).wait()
    yield running
    running.stop()


def ask(server: Gunicorn, data: bytes) -> tuple[list[int], bool, str]:
    """The statuses of all answers, whether the connection was closed, and the whole text."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=2) as connection:
        connection.sendall(data)
        answer, is_closed = b"", True
        try:
            while received := connection.recv(65536):
                answer += received
        except TimeoutError:
            is_closed = False
    text = answer.decode("latin-1")
    return [int(each) for each in re.findall(r"HTTP/1\.[01] (\d+)", text)], is_closed, text


def post(path: str, body: bytes, kind: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n"
    return head.encode() + HOST + b"\r\n" + body


BODIES = [
    ("/auth/sign-in", "application/jwt"),
    ("/logout", "application/x-www-form-urlencoded"),
]


@pytest.mark.parametrize(("path", "kind"), BODIES)
@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\nabc\r\n" + END,
        b"-1\r\nabc\r\n" + END,
        b"0x3\r\nabc\r\n" + END,
        b"3\r\nabc\r\n\r\n",
        b"3\r\nabcXX" + END,
        b"3;\0\r\nabc\r\n" + END,
        b"zz\r\n\r\nGET /livez HTTP/1.1\r\n" + HOST + b"\r\n",
    ],
    ids=["letters", "below zero", "0x", "empty", "no terminator", "extension", "smuggled"],
)
def test_malformed_chunks_are_a_400_that_closes_the_connection(server, path, kind, body):
    """Nobody can tell where such a request ends, so nothing after it is answered."""
    statuses, is_closed, text = ask(server, post(path, body, kind))
    assert (statuses, is_closed) == ([400], True)
    assert "malformed_body" in text


def test_malformed_chunks_are_counted_and_no_bug(server):
    ask(server, post("/auth/sign-in", b"zz\r\n", "application/jwt"))
    metrics = server.get("/metrics", Authorization=f"Bearer {'m' * 40}").text
    assert re.search(r'quickstep_refusals_total\{[^}]*reason="malformed_body"', metrics)
    assert "Traceback" not in server.log


@pytest.mark.parametrize(("path", "kind"), BODIES)
def test_a_chunked_body_over_the_limit_is_a_413_as_one_of_known_length(server, path, kind):
    body = b"a=" + b"x" * 0x1FFFE
    chunked = b"20000\r\n" + body + b"\r\n" + END
    head = f"POST {path} HTTP/1.1\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    known = head.encode() + HOST + b"\r\n" + body
    for request in (post(path, chunked, kind), known):
        assert ask(server, request)[0][0] == 413


def test_well_formed_chunks_are_read(server):
    body = b"2;name=value\r\nab\r\n1\r\nc\r\n0\r\nX-Note: x\r\n\r\n"
    statuses, is_closed, text = ask(server, post("/auth/sign-in", body, "application/jwt"))
    assert (statuses, is_closed) == ([401], False)
    assert "invalid_token" in text


@pytest.mark.parametrize("path", ["/livez", "/login", "/api/v1/me", "/static/app.css", "/nowhere"])
@pytest.mark.parametrize(
    "host", [b"", b"Host:\r\n", b"Host: a b\r\n", b"Host: a/b\r\n", b"Host: \xe9\r\n"]
)
def test_a_request_without_a_valid_host_is_a_400(server, path, host):
    """RFC 9112 3.2."""
    head = [f"GET {path} HTTP/1.1".encode(), b"Connection: close", *([host] if host else [])]
    statuses, _is_closed, text = ask(server, b"\r\n".join([*head, b"", b""]))
    assert statuses == [400]
    assert "Host header" in text


@pytest.mark.parametrize(
    "request_head",
    [
        b"GET /livez HTTP/1.0\r\n",
        b"GET /livez HTTP/1.1\r\nHost: [::1]:5000\r\n",
        b"GET /livez HTTP/1.1\r\nHost: LOCALHOST\r\n",
        b"GET /livez HTTP/1.1\r\nHost: my_service:8080\r\n",
    ],
)
def test_a_request_that_names_its_host_is_answered(server, request_head):
    assert ask(server, request_head + b"Connection: close\r\n\r\n")[0] == [200]


def test_two_hosts_are_a_400(server):
    request = b"GET /login HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n"
    assert ask(server, request)[0] == [400]
