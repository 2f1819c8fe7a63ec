"""Visitors who drip or say nothing, before nginx and Caddy as deploy/ shows them: no harm done."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.system.packages.fronts import THREADS, WORKERS, Front
from tests.system.packages.test_proxies import EXAMPLES

SILENT, DRIPPING = 500, 80
HEAD = b"GET /login HTTP/1.1\r\nHost: localhost\r\nCookie: "
BODY = (
    b"POST /auth/sign-in HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/jwt\r\nContent-Length: 16000\r\n\r\n"
) + 8192 * b"x"  # more than a proxy that streams keeps back


class SlowVisitors:
    """Connections to a proxy: some say nothing, the others send a byte now and then."""

    def __init__(self, front: Front) -> None:
        self._place = ("127.0.0.1", front.proxy.port)
        self._context = ssl.create_default_context(cafile=str(front.proxy.certificate))
        self._silent = [socket.create_connection(self._place) for _ in range(SILENT)]
        self._dripping = [self._drip(BODY if each % 2 else HEAD) for each in range(DRIPPING)]
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._go_on)
        self._thread.start()

    def _drip(self, beginning: bytes) -> ssl.SSLSocket:
        connection = socket.create_connection(self._place)
        wrapped = self._context.wrap_socket(connection, server_hostname="localhost")
        wrapped.sendall(beginning)
        wrapped.setblocking(False)
        return wrapped

    def _go_on(self) -> None:
        while not self._is_over.wait(0.2):
            for each in self._dripping:
                with suppress(OSError):  # the proxy has had enough of this one
                    each.send(b"x")

    def are_waited_for(self) -> int:
        """How many of those that drip have neither an answer nor an end."""
        count = 0
        for each in self._dripping:
            try:
                each.recv(1)
            except ssl.SSLWantReadError:
                count += 1
            except OSError:
                continue
        return count

    def leave(self) -> None:
        self._is_over.set()
        self._thread.join()
        for each in [*self._silent, *self._dripping]:
            each.close()


@contextmanager
def slow_visitors(front: Front) -> Iterator[SlowVisitors]:
    visitors = SlowVisitors(front)
    try:
        yield visitors
    finally:
        visitors.leave()


@pytest.mark.parametrize("example", EXAMPLES)
def test_slow_and_silent_visitors_keep_nobody_from_signing_in(
    make_front: Callable[..., Front], example: str
):
    front = make_front(example)
    assert DRIPPING // 2 > WORKERS * THREADS, "else some threads would be left without a proxy too"
    before = front.browser()
    before.sign_in("google", "ada")
    with slow_visitors(front) as visitors:
        assert before.me()
        assert front.browser().sign_in("google", "grace").path == "/account"
        assert before.get("/account").status == 200
        # All of that happened while they were dripping, not after the proxy had cut them off.
        assert visitors.are_waited_for() == DRIPPING
