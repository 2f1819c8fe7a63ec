"""Calls to providers against servers of the worst kind: every call ends, and says how."""

import gzip
import ipaddress
import itertools
import os
import socket
import ssl
import struct
import threading
import time
import traceback
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from errors import ProviderDown, ProviderError
from providers.base import NotShared
from providers.http import connections
from providers.http import transport as module
from providers.http.connections import tls_context
from providers.http.responses import read_json
from providers.http.transport import ANSWER_MAX_BYTES, Transport
from tests.conftest import lack

Answer = Callable[[socket.socket], None]
# A drip ends by itself with a whole answer: a call that waited for it fails its test.
DRIPS, DRIP_SECONDS = 100, 0.02
SECRET = "hunter2"


class Peer:
    """The other side: a server that answers each request as ``answer`` says, byte by byte.

    ``answer`` can be changed at any time. A connection stays open for another request until
    an answer, or the client, closes it.
    """

    def __init__(self, answer: Answer, tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self._here = threading.local()
        self.connections = 0
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _address = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError):
            connection.settimeout(20)
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                while request := read_request(connection):
                    self.requests.append(request)
                    self._here.request = request
                    self.answer(connection)

    def answer_by_path(self, answers: dict[str, Answer]) -> None:
        """Calls may come at once, in either order."""

        def answer(connection: socket.socket) -> None:
            answers[self._here.request.split(b" ")[1].decode().partition("?")[0]](connection)

        self.answer = answer

    def methods(self) -> list[str]:
        return [request.partition(b" ")[0].decode() for request in self.requests]

    def stop(self) -> None:
        # Only a shutdown wakes the thread that accepts.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def read_request(connection: socket.socket) -> bytes:
    """One request with its body; empty when the client has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            while len(body) < int(line.partition(b":")[2]):
                body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def http(body: bytes = b'{"ok": true}', status: str = "200 OK", *headers: str) -> Answer:
    """A whole and well-formed answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return send("\r\n".join(lines).encode() + body)


def send(*parts: bytes, close: bool = False) -> Answer:
    def answer(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
        if close:
            connection.shutdown(socket.SHUT_RDWR)

    return answer


def drip(start: bytes, piece: bytes, end: bytes = b"") -> Answer:
    """Never silent for long, and done only long after any caller should have given up."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(start)
        for _ in range(DRIPS):
            time.sleep(DRIP_SECONDS)
            connection.sendall(piece)
        connection.sendall(end)

    return answer


def say_nothing(connection: socket.socket) -> None:
    connection.recv(1)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def in_turn(*answers: Answer) -> Answer:
    """Each request is answered by the next of these, and further ones by the last."""
    turns = itertools.chain(answers, itertools.repeat(answers[-1]))

    def answer(connection: socket.socket) -> None:
        next(turns)(connection)

    return answer


GOOD = http()
OK = {"ok": True}

SLOW: dict[str, Answer] = {
    "says nothing": say_nothing,
    "drips the status line": drip(b"HTTP/1.1 200 ", b"O", b"\r\nContent-Length: 2\r\n\r\n{}"),
    "drips headers": drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", b"Content-Length: 2\r\n\r\n{}"),
    "drips interim answers": drip(
        b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    ),
    "drips the body": drip(
        f"HTTP/1.1 200 OK\r\nContent-Length: {DRIPS + 2}\r\n\r\n".encode(), b" ", b"{}"
    ),
    "drips a body without length": drip(b"HTTP/1.1 200 OK\r\n\r\n{}", b" "),
    "drips chunks": drip(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"1\r\n \r\n",
        b"2\r\n{}\r\n0\r\n\r\n",
    ),
    "drips a compressed body": drip(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}")[:10], b"\0"
    ),
    "stops in the body": send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}"),
}

BROKEN: dict[str, Answer] = {
    "hangs up": send(close=True),
    "resets": reset,
    "hangs up in the status line": send(b"HTTP/1.1 2", close=True),
    "hangs up in the headers": send(b"HTTP/1.1 200 OK\r\nContent-", close=True),
    "hangs up in the body": send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", close=True),
    "is not HTTP": send(b"\x16\x03\x01\x00\x00 SSH-2.0-garbage \xff\xfe\r\n\r\n", close=True),
    "has a status that is no number": send(b"HTTP/1.1 fine OK\r\n\r\n{}", close=True),
    "has a line without end": send(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, close=True),
    "has headers without end": send(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000, close=True),
    "contradicts its length": http(b"{}", "200 OK", "Content-Length: 3"),
    "has a length below zero": send(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", close=True),
    "has chunks that are none": send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", close=True
    ),
    "has a chunk of minus one": send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n", close=True
    ),
    "has a chunk without end": send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 100_000, close=True
    ),
    "is compressed only by name": http(b"{}", "200 OK", "Content-Encoding: gzip"),
    "is compressed too often": http(
        b"{}", "200 OK", "Content-Encoding: " + ", ".join(["gzip"] * 50)
    ),
    "is empty": http(b""),
    "is a page": http(b"<!doctype html><h1>Sorry</h1>", "200 OK", "Content-Type: text/html"),
    "is cut JSON": http(b'{"a": '),
    "is not UTF-8": http(b'{"a": "\xff"}'),
    "is too deep": http(b"[" * 100_000 + b"]" * 100_000),
    "is a number without end": http(b"9" * 5000),
    "is huge": http(b'"' + b"x" * 2 * ANSWER_MAX_BYTES + b'"'),
    "says nothing happened": http(b"", "204 No Content"),
    "redirects": http(b"{}", "302 Found", "Location: /elsewhere"),
    "redirects for good": http(b"{}", "308 Permanent Redirect", "Location: //elsewhere.example/"),
    "redirects nowhere": http(b"{}", "302 Found", "Location: http://[\xff"),
    "is a client's fault": http(b"{}", "400 Bad Request"),
    "is busy": http(b"{}", "429 Too Many Requests", "Retry-After: 1"),
    "is broken": http(b"{}", "500 Internal Server Error"),
    "is away": http(b"{}", "503 Service Unavailable", "Retry-After: 3600"),
    "has a status of its own": http(b"{}", "999 Whatever"),
}


@pytest.fixture
def serve() -> Iterator[Callable[..., Peer]]:
    """Starts servers, and stops them after the test."""
    peers: list[Peer] = []

    def start(answer: Answer = GOOD, tls: ssl.SSLContext | None = None) -> Peer:
        peers.append(Peer(answer, tls))
        return peers[-1]

    yield start
    for peer in peers:
        peer.stop()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Time limits for servers that are slow on purpose; ``undo`` gives the real ones back."""
    monkeypatch.setattr(connections, "CONNECT_SECONDS", 0.1)
    monkeypatch.setattr(connections, "READ_SECONDS", 0.08)
    monkeypatch.setattr(connections, "TOTAL_SECONDS", 0.12)
    return monkeypatch


@pytest.fixture
def transport() -> Iterator[Transport]:
    transport = Transport()
    yield transport
    transport.close()


def post(transport: Transport, url: str) -> requests.Response:
    prepared = requests.Request("POST", url, data={"code": SECRET}).prepare()
    return transport.send(prepared)


# Time.


@pytest.mark.parametrize("how", SLOW)
def test_a_provider_that_takes_for_ever_is_left(serve, transport, impatient, how):
    """Stock Flask-Dance gives requests no time limit: a worker hangs for ever."""
    peer = serve(SLOW[how])
    with pytest.raises(ProviderDown) as caught:
        transport.get_json(peer.url)
    assert caught.value.status == 504
    impatient.undo()
    peer.answer = GOOD
    assert transport.get_json(peer.url) == OK


@pytest.mark.parametrize("how", SLOW)
def test_a_slow_token_endpoint_is_left_and_not_asked_again(serve, transport, impatient, how):
    peer = serve(SLOW[how])
    with pytest.raises(ProviderDown) as caught:
        post(transport, peer.url)
    assert caught.value.status == 504
    impatient.undo()
    peer.answer = GOOD
    assert transport.get_json(peer.url) == OK
    # Connections are accepted in turn: whatever was sent before has arrived.
    assert (peer.methods().count("GET"), peer.connections) == (1, 2)


@pytest.mark.usefixtures("impatient")
def test_an_answer_that_pours_without_end_is_left(serve, transport):
    """Interim answers as fast as the line carries: each read is quick, all of them are not."""
    start = time.monotonic()

    def pour(connection: socket.socket) -> None:
        while time.monotonic() < start + 5:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with pytest.raises(ProviderDown) as caught:
        transport.get_json(serve(pour).url)
    assert caught.value.status == 504


@pytest.mark.usefixtures("impatient")
def test_a_handshake_that_never_ends_is_left(serve, transport):
    peer = Peer(say_nothing)
    with pytest.raises(ProviderDown) as caught:
        transport.get_json(f"https://127.0.0.1:{peer.port}/")
    peer.stop()
    assert caught.value.status == 504


@contextmanager
def black_hole(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A port whose queue of connections is full: to connect there takes for ever."""
    try:
        listener = socket.create_server((host, port), backlog=0)
    except OSError:
        lack(f"the loopback address {host}")
    with listener:
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex((host, port))
        yield port
        for client in waiting:
            client.close()


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes every name mean these addresses, in this order."""
    really = socket.getaddrinfo

    def choose(*addresses: str) -> None:
        def look_up(host: str, *args: Any, **kwargs: Any) -> list[Any]:
            hosts = [host] if host[0].isdigit() else addresses
            return [row for each in hosts for row in really(each, *args, **kwargs)]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)

    return choose


@pytest.mark.usefixtures("impatient")
def test_a_host_that_swallows_connections_is_left(transport):
    with black_hole() as port, pytest.raises(ProviderDown) as caught:
        transport.get_json(f"http://127.0.0.1:{port}/")
    assert caught.value.status == 504


@pytest.mark.usefixtures("impatient")
def test_many_dead_addresses_take_no_longer_than_one_call_may(serve, transport, resolve):
    """Some providers have sixteen addresses; when none answers, a worker must not wait for all."""
    peer = serve()
    resolve(*["127.0.0.2"] * 8, "127.0.0.1")
    with black_hole("127.0.0.2", peer.port), pytest.raises(ProviderDown) as caught:
        transport.get_json(f"http://many.example:{peer.port}/")
    assert caught.value.status == 504
    assert peer.connections == 0


def test_one_dead_address_among_several_does_no_harm(serve, transport, resolve, monkeypatch):
    monkeypatch.setattr(connections, "CONNECT_SECONDS", 0.1)
    peer = serve()
    resolve("127.0.0.2", "127.0.0.1")
    with black_hole("127.0.0.2", peer.port):
        assert transport.get_json(f"http://two.example:{peer.port}/") == OK
    assert b"\r\nHost: two.example:" in peer.requests[0]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/",
        "http://does-not-exist.invalid/",
        f"http://{'a' * 64}.example/",
        "http://a..example/",
    ],
)
def test_a_host_that_is_not_there_is_told(transport, url):
    with pytest.raises(ProviderError) as caught:
        transport.get_json(url)
    assert caught.value.status == 502


@pytest.mark.parametrize(
    "url",
    ["http://exa mple/", "http://*.example/", "http://x:99999/", "ftp://example.org/", "nowhere"],
)
def test_an_address_that_is_none_is_a_providers_fault_too(transport, url):
    """A URL of a provider's metadata goes straight into a request."""
    with pytest.raises(ProviderError) as caught:
        transport.get_json(url)
    assert caught.value.status == 502


def test_a_slow_provider_keeps_nobody_else_waiting(serve, transport, monkeypatch):
    monkeypatch.setattr(connections, "TOTAL_SECONDS", 1.0)
    slow, quick = serve(SLOW["drips the body"]), serve()
    ended: list[ProviderError] = []

    def wait() -> None:
        try:
            transport.get_json(slow.url)
        except ProviderError as error:
            ended.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    for _ in range(20):
        assert transport.get_json(quick.url) == OK
    waiting.join()
    assert [error.status for error in ended] == [504]


# What comes.


@pytest.mark.parametrize("how", BROKEN)
def test_whatever_comes_is_told_as_the_providers_fault(serve, transport, how):
    peer = serve(BROKEN[how])
    with pytest.raises(ProviderError) as caught:
        transport.get_json(peer.url)
    assert not isinstance(caught.value, NotShared)
    assert caught.value.status == 502
    peer.answer = GOOD
    assert transport.get_json(peer.url) == OK, "the next call suffers from this one"


REDIRECTS_NOWHERE = [b"http://[", b"http://[\xff", b"http://\xff\xfe/", b"//", b"http://a:99999/"]


def test_the_person_sees_one_friendly_page_whatever_comes(make_site, serve, monkeypatch):
    """All of it once more where it hurts: on the way from the button to the account."""
    # So many in a row that hang up, and it would not be asked (test_breaker.py).
    monkeypatch.setattr("providers.http.breaker.FAILURES_IN_A_ROW", 1000)
    peer = serve()
    browser = make_site(FACEBOOK_API_URL=peer.url).browser()
    redirects = {
        f"redirects to {target!r}": send(
            b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + target + b"\r\n\r\n"
        )
        for target in REDIRECTS_NOWHERE
    }
    for how, answer in (BROKEN | redirects).items():
        peer.answer = answer
        page = browser.sign_in("facebook", "ada")
        assert (page.status, page.path) == (502, "/login/facebook/authorized"), how
        assert page.alert.startswith("Facebook "), how
        assert "Continue with Facebook" in page.buttons or "Try again" in page.buttons[0], how
    peer.answer = http(b'{"id": "7", "name": "Ada"}')
    assert browser.sign_in("facebook", "ada").path == "/account"


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "404 Not Found"])
def test_what_a_provider_keeps_to_itself_is_told_apart(serve, transport, status):
    with pytest.raises(NotShared):
        transport.get_json(serve(http(b"{}", status)).url)


@pytest.mark.parametrize("how", ["is busy", "is away"])
def test_a_provider_that_says_when_to_come_back_is_not_asked_again_at_once(serve, transport, how):
    """Retry-After must neither be waited for nor hide what the provider said."""
    peer = serve(BROKEN[how])
    with pytest.raises(ProviderError, match=r"answered (429|503)") as caught:
        transport.get_json(peer.url)
    assert not isinstance(caught.value, ProviderDown)
    assert peer.methods() == ["GET"]


@pytest.mark.parametrize("status", ["301", "302", "303", "307", "308"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_redirect_is_followed(serve, transport, method, status):
    """A redirected token request would carry code and secret to wherever it points."""
    elsewhere = serve()
    peer = serve(http(b"{}", f"{status} Moved", f"Location: {elsewhere.url}"))
    response = transport.send(requests.Request(method, peer.url).prepare())
    assert response.status_code == int(status)
    with pytest.raises(ProviderError):
        read_json(response)
    assert len(peer.requests) == 1
    assert elsewhere.requests == []


def test_a_megabyte_is_read_and_not_one_byte_more(serve, transport):
    peer = serve(http(b'"' + b"x" * (ANSWER_MAX_BYTES - 2) + b'"'))
    assert len(transport.get_json(peer.url)) == ANSWER_MAX_BYTES - 2
    peer.answer = http(b'"' + b"x" * (ANSWER_MAX_BYTES - 1) + b'"')
    with pytest.raises(ProviderError, match="more than a megabyte"):
        transport.get_json(peer.url)


def test_a_body_without_end_is_cut_off(serve, transport):
    sent = []

    def pour(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(1000):
            connection.sendall(b" " * 65536)
            sent.append(65536)

    with pytest.raises(ProviderError, match="more than a megabyte"):
        transport.get_json(serve(pour).url)
    assert sum(sent) < 20 * 1024 * 1024


def squeezed(encoding: str) -> bytes:
    """Two hundred megabytes of nothing, packed."""
    nothing = b" " * (1024 * 1024)
    packer = zlib.compressobj(9, wbits=31 if encoding == "gzip" else 15)
    return b"".join(packer.compress(nothing) for _ in range(200)) + packer.flush()


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_is_not_unpacked(serve, transport, encoding):
    peer = serve(http(squeezed(encoding), "200 OK", f"Content-Encoding: {encoding}"))
    tracemalloc.start()
    try:
        with pytest.raises(ProviderError, match="more than a megabyte"):
            transport.get_json(peer.url)
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 16 * 1024 * 1024


# Connections.


def test_a_connection_is_kept_and_used_again(serve, transport):
    """One TLS handshake per sign-in was a stock set-up's greatest cost."""
    peer = serve()
    for _ in range(3):
        person = requests.Session()
        person.mount("http://", transport)
        assert person.get(peer.url).json() == OK
    post(transport, peer.url)
    assert transport.get_json(peer.url) == OK
    assert (len(peer.requests), peer.connections) == (5, 1)


def test_a_get_survives_the_reset_of_a_kept_connection(serve, transport):
    """Providers close idle connections; a person must not notice."""
    peer = serve(in_turn(GOOD, reset, GOOD))
    assert transport.get_json(peer.url) == OK
    assert transport.get_json(peer.url) == OK
    assert peer.methods() == ["GET"] * 3


def test_a_get_is_tried_again_only_once(serve, transport):
    peer = serve(in_turn(GOOD, reset, reset, GOOD))
    assert transport.get_json(peer.url) == OK
    with pytest.raises(ProviderDown):
        transport.get_json(peer.url)
    assert peer.methods() == ["GET"] * 3


@pytest.mark.parametrize(
    "how",
    [
        "hangs up",
        "resets",
        "hangs up in the status line",
        "hangs up in the body",
        "is not HTTP",
        "has headers without end",
        "has chunks that are none",
        "contradicts its length",
    ],
)
@pytest.mark.parametrize("kept", [False, True], ids=["new connection", "kept connection"])
def test_a_post_is_never_sent_twice(serve, transport, how, kept):
    """It may have arrived: a code sent again tells the provider that it was stolen."""
    peer = serve()
    if kept:
        assert transport.get_json(peer.url) == OK
        peer.requests.clear()
    peer.answer = in_turn(BROKEN[how], GOOD)
    with pytest.raises(ProviderError):
        post(transport, peer.url)
    assert peer.methods() == ["POST"]


@pytest.mark.parametrize("how", ["is busy", "is away", "is broken"])
def test_nor_when_the_provider_asks_for_it(serve, transport, how):
    peer = serve(in_turn(BROKEN[how], GOOD))
    assert post(transport, peer.url).status_code in (429, 500, 503)
    assert peer.methods() == ["POST"]


def test_a_post_finds_a_new_connection_where_the_old_one_was_closed(serve, transport):
    peer = serve(http(b"{}", "200 OK", "Connection: close"))
    transport.get_json(peer.url)
    peer.answer = GOOD
    assert post(transport, peer.url).status_code == 200
    assert peer.connections == 2


@pytest.mark.parametrize("how", ["is huge", "has chunks that are none"])
def test_a_connection_with_a_rest_on_it_is_not_used_again(serve, transport, how):
    """Else one person's answer would begin with the rest of another's."""
    peer = serve(in_turn(BROKEN[how], GOOD))
    with pytest.raises(ProviderError):
        post(transport, peer.url)
    assert transport.get_json(peer.url) == OK
    assert peer.connections == 2


def test_an_answer_that_nobody_asked_for_is_nobodys(serve, transport):
    """A second answer behind the first must not be taken for the next person's."""
    forged = b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"ok": "mine"}'
    whole = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"ok": true}'
    peer = serve(send(whole + forged))
    assert [transport.get_json(peer.url) for _ in range(3)] == [OK] * 3


def test_no_cookie_is_kept_from_one_person_to_the_next(serve, transport):
    peer = serve(http(b"{}", "200 OK", "Set-Cookie: session=of-the-first-person; Path=/"))
    for _ in range(2):
        person = requests.Session()
        person.mount("http://", transport)
        person.get(peer.url)
        transport.get_json(peer.url)
        post(transport, peer.url)
    assert len(peer.requests) == 6
    assert not any(b"cookie:" in request.lower() for request in peer.requests)


# What the log may say.


def everything_said(error: BaseException) -> str:
    return repr(error) + getattr(error, "detail", "") + "".join(traceback.format_exception(error))


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("how", [*SLOW, *BROKEN, "refuses connections"])
@pytest.mark.usefixtures("impatient")
def test_the_query_never_shows_in_an_error_or_a_log(serve, transport, caplog, how, method):
    """It may hold what a log must not: Facebook's appsecret_proof, an access token. urllib3
    writes the whole address when it tries again, and when it cannot read a header."""
    answer = (SLOW | BROKEN).get(how, GOOD)
    url = "http://127.0.0.1:9/" if how == "refuses connections" else serve(answer).url
    request = requests.Request(
        method,
        f"{url}me?access_token={SECRET}",
        headers={"Authorization": f"Bearer {SECRET}"},
        data={"client_secret": SECRET} if method == "POST" else None,
    )
    with pytest.raises(ProviderError) as caught:
        read_json(transport.send(request.prepare()))
    said = everything_said(caught.value)
    assert SECRET not in said + caplog.text
    assert f"{url}me" in said, "the log must tell where it happened"


def test_nor_does_it_show_where_a_second_try_went_well(serve, transport, caplog):
    nonsense = send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno header\r\n\r\n{}")
    peer = serve(in_turn(reset, nonsense))
    transport.get_json(f"{peer.url}me?access_token={SECRET}")
    assert peer.methods() == ["GET", "GET"]
    assert SECRET not in caplog.text


def test_nor_does_it_show_where_the_address_itself_is_bad(transport):
    with pytest.raises(ProviderError) as caught:
        transport.get_json(f"http://exa mple/?token={SECRET}")
    assert SECRET not in everything_said(caught.value)


# TLS.


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """A server's side of TLS that signed its own certificate, and that certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    alternative: x509.GeneralName = x509.DNSName(name)
    with suppress(ValueError):
        alternative = x509.IPAddress(ipaddress.ip_address(name))
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path, key_path = folder / "certificate.pem", folder / "key.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key_path)
    return context, path


def trusting(path: Path, monkeypatch: pytest.MonkeyPatch) -> Transport:
    """A transport on a machine whose administrator trusts this certificate."""
    context = ssl.create_default_context(cafile=str(path))
    monkeypatch.setattr(module, "tls_context", lambda: context)
    return Transport()


def test_a_trusted_certificate_is_taken_and_its_connection_kept(serve, monkeypatch, tmp_path):
    server_side, path = certificate(tmp_path, "127.0.0.1")
    peer = serve(tls=server_side)
    with closing(trusting(path, monkeypatch)) as transport:
        assert [transport.get_json(peer.url) for _ in range(3)] == [OK] * 3
    assert peer.connections == 1


def test_a_stranger_s_certificate_is_refused_before_anything_is_said(serve, transport, tmp_path):
    server_side, _path = certificate(tmp_path, "127.0.0.1")
    peer = serve(tls=server_side)
    with pytest.raises(ProviderDown):
        post(transport, peer.url)
    assert peer.requests == []


def test_a_certificate_of_another_host_is_refused(serve, monkeypatch, tmp_path):
    server_side, path = certificate(tmp_path, "other.example")
    peer = serve(tls=server_side)
    with closing(trusting(path, monkeypatch)) as transport, pytest.raises(ProviderDown):
        post(transport, peer.url)
    assert peer.requests == []


def test_no_caller_can_switch_the_check_off(serve, transport, tmp_path):
    server_side, _path = certificate(tmp_path, "127.0.0.1")
    peer = serve(tls=server_side)
    person = requests.Session()
    person.mount("https://", transport)
    person.verify = False
    with pytest.raises(ProviderDown):
        person.get(peer.url, verify=False)
    assert peer.requests == []


def test_the_usual_authorities_are_trusted_and_host_names_checked():
    context = tls_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.cert_store_stats()["x509_ca"] > 50


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_garbage_inside_tls_is_no_reason_to_post_again(serve, monkeypatch, tmp_path, method):
    """A TLS error while the answer is read comes after the request was sent."""

    def garbage(connection: socket.socket) -> None:
        os.write(connection.fileno(), b"HTTP/1.1 400 Bad Request\r\n\r\n")
        time.sleep(0.05)
        connection.close()

    server_side, path = certificate(tmp_path, "127.0.0.1")
    peer = serve(garbage, server_side)
    request = requests.Request(method, peer.url).prepare()
    with closing(trusting(path, monkeypatch)) as transport, pytest.raises(ProviderDown) as caught:
        transport.send(request)
    assert caught.value.status == 502
    assert peer.methods().count("POST") == (method == "POST")


# Proxies of the environment.


def test_a_proxy_of_the_environment_is_used_but_not_for_this_machine(serve, monkeypatch):
    proxy, direct = serve(), serve()
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    with closing(Transport()) as transport:
        assert transport.get_json("http://provider.example/me?x=y") == OK
        assert transport.get_json(direct.url) == OK
    assert proxy.requests[0].startswith(b"GET http://provider.example/me?x=y HTTP/1.1\r\n")
    assert (len(proxy.requests), len(direct.requests)) == (1, 1)


@pytest.mark.parametrize("how", SLOW)
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.usefixtures("impatient")
def test_a_slow_provider_is_left_behind_a_proxy_too(serve, monkeypatch, scheme, how):
    proxy = serve(SLOW[how])
    monkeypatch.setenv(f"{scheme}_proxy", proxy.url)
    monkeypatch.delenv("no_proxy", raising=False)
    with closing(Transport()) as transport, pytest.raises(ProviderDown):
        transport.get_json(f"{scheme}://provider.example/")


def test_a_proxy_that_is_named_without_a_scheme_is_one_too(serve, monkeypatch):
    """As curl and most programs have it: HTTPS_PROXY=proxy.example:3128."""
    proxy = serve()
    monkeypatch.setenv("http_proxy", f"127.0.0.1:{proxy.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    with closing(Transport()) as transport:
        assert transport.get_json("http://provider.example/me") == OK


def tunnel_to(provider: Peer) -> Answer:
    def tunnel(connection: socket.socket) -> None:
        """CONNECT: pass every byte on, both ways."""
        with socket.create_connection(("127.0.0.1", provider.port)) as onward:
            connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            back = threading.Thread(target=pump, args=(onward, connection), daemon=True)
            back.start()
            pump(connection, onward)
            back.join()

    return tunnel


@pytest.fixture
def proxied(serve, monkeypatch, tmp_path):
    """https://provider.example behind a proxy: its peer, the proxy's, its certificate."""
    server_side, path = certificate(tmp_path, "provider.example")
    provider = serve(tls=server_side)
    proxy = serve(tunnel_to(provider))
    monkeypatch.setenv("https_proxy", proxy.url)
    monkeypatch.delenv("no_proxy", raising=False)
    return provider, proxy, path


def test_certificates_are_checked_behind_a_proxy_as_without_one(proxied, monkeypatch):
    """The same authorities: a slim container has none of its own."""
    provider, _proxy, path = proxied
    with closing(Transport()) as stranger, pytest.raises(ProviderDown):
        stranger.get_json("https://provider.example/")
    assert provider.requests == []
    with closing(trusting(path, monkeypatch)) as transport:
        assert transport.get_json("https://provider.example/") == OK
    assert len(provider.requests) == 1


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_RDWR)


# Connections that are made ready beforehand.


def warmed(transport: Transport, url: str) -> None:
    """Have a connection made ready, and wait until that is done, one way or the other."""
    transport.warm(url)
    transport._beside.shutdown(wait=True)


def test_a_connection_made_ready_is_used(serve, monkeypatch, tmp_path):
    server_side, path = certificate(tmp_path, "127.0.0.1")
    peer = serve(tls=server_side)
    with closing(trusting(path, monkeypatch)) as transport:
        warmed(transport, peer.url)
        assert peer.connections == 1
        assert transport.get_json(peer.url) == OK
    assert peer.connections == 1


def test_one_that_could_not_be_made_ready_stands_in_nobody_s_way(serve, monkeypatch, tmp_path):
    server_side, path = certificate(tmp_path, "127.0.0.1")
    peer = serve(tls=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))  # has no certificate to show
    with closing(trusting(path, monkeypatch)) as transport:
        warmed(transport, peer.url)
        peer._tls = server_side
        assert post(transport, peer.url).status_code == 200


def test_behind_a_proxy_too(proxied, monkeypatch):
    _provider, proxy, path = proxied
    with closing(trusting(path, monkeypatch)) as transport:
        warmed(transport, "https://provider.example/")
        assert post(transport, "https://provider.example/").status_code == 200
    assert all(request.startswith(b"CONNECT provider.example:443 ") for request in proxy.requests)
