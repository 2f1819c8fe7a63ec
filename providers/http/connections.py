"""Connections to providers that end at their call's deadline, and the certificates they trust.

transport.py sets a call's deadline. It holds for each step: every address of a host name, and every
read of a socket, however slowly the other side drips. Only the resolution of a host name is left to
the system.
"""

import functools
import http.client
import io
import socket
import ssl
import time
from contextvars import ContextVar
from typing import Any

import certifi
import urllib3
from urllib3.util.connection import create_connection

CONNECT_SECONDS = 3.05
READ_SECONDS = 8.0
TOTAL_SECONDS = 12.0

deadline: ContextVar[float] = ContextVar("deadline", default=float("inf"))
# How long each read may take, where that is not READ_SECONDS.
patience: ContextVar[float | None] = ContextVar("patience", default=None)


class _BoundedStream(io.RawIOBase):
    """A socket's stream whose reads stop at the deadline of their call."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._stream = connection.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = deadline.get() - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the whole call took too long")
        self._socket.settimeout(min(patience.get() or READ_SECONDS, remaining))
        return self._stream.readinto(buffer)

    def close(self) -> None:
        self._stream.close()
        super().close()


class _StreamSource:
    """The part of a socket that http.client needs: one buffered stream."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_BoundedStream(self._connection))


class _BoundedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(_StreamSource(sock), *args, **kwargs)  # type: ignore[arg-type]

    def _read_status(self) -> tuple[str, int, str]:
        """Pass over interim responses (RFC 9110 15.2), such as 103: http.client knows 100 only."""
        while True:  # until the deadline
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 <= status < 200 or status == http.HTTPStatus.SWITCHING_PROTOCOLS:
                return version, status, reason
            http.client.parse_headers(self.fp)


class Connection(urllib3.connection.HTTPConnection):
    """A connection without TLS."""

    response_class = _BoundedResponse

    def _addresses(self) -> list[Any]:
        return socket.getaddrinfo(self.host.strip("[]"), self.port, type=socket.SOCK_STREAM)

    def _new_conn(self) -> socket.socket:
        """Connect before the deadline: urllib3 allows the whole time for each address of a name."""
        try:
            found = self._addresses()
        except (OSError, UnicodeError):
            return super()._new_conn()  # fails too, with urllib3's error
        failure: Exception = urllib3.exceptions.ConnectTimeoutError(self, "timed out")
        for *_, (host, port, *_) in found:
            remaining = deadline.get() - time.monotonic()
            if remaining <= 0:
                break
            seconds = min(CONNECT_SECONDS, remaining)
            try:
                return create_connection(
                    (str(host), int(port)), seconds, socket_options=self.socket_options
                )
            except TimeoutError:
                failure = urllib3.exceptions.ConnectTimeoutError(self, "timed out")
            except OSError as error:
                failure = urllib3.exceptions.NewConnectionError(self, str(error))
        raise failure


class TLSConnection(Connection, urllib3.connection.HTTPSConnection):
    @property
    def is_connected(self) -> bool:
        """Whether it is idle and open. urllib3 takes any readable data for the end, including the
        tickets that a server sends after the handshake (RFC 8446 4.6.1); then no prepared
        connection would be used."""
        if self.sock is None:
            return False
        seconds = self.sock.gettimeout()
        try:
            self.sock.settimeout(0)
            self.sock.recv(1)  # reads tickets; an end, or unexpected data, means a dead connection
        except ssl.SSLWantReadError:
            self.sock.settimeout(seconds)
            return True
        except (OSError, ValueError):
            pass
        return False


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = Connection


class _TLSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = TLSConnection


POOLS = {"http": _Pool, "https": _TLSPool}


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Load the system's certificates and certifi's: a slim container image may have no system ones.

    Parsing them costs more than a whole sign-in, so it is done once per process.
    """
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
