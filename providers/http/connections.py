"""Connections to providers that cannot take longer than the call they serve, and what they trust.

A call's deadline is set by transport.py. It holds for each step: every address of a host name,
every read of a socket, however slowly the other side drips; resolving a host name alone is left
to the system.
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


class _BoundedStream(io.RawIOBase):
    """A socket's stream whose reads stop at the deadline of the call they belong to."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._stream = connection.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = deadline.get() - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the whole call took too long")
        self._socket.settimeout(min(READ_SECONDS, remaining))
        return self._stream.readinto(buffer)

    def close(self) -> None:
        self._stream.close()
        super().close()


class _StreamSource:
    """What http.client asks of a socket: one buffered stream."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_BoundedStream(self._connection))


class _BoundedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(_StreamSource(sock), *args, **kwargs)  # type: ignore[arg-type]


class _Connection(urllib3.connection.HTTPConnection):
    response_class = _BoundedResponse

    def _new_conn(self) -> socket.socket:
        """Connect before the deadline: urllib3 gives each address of a name the whole time."""
        try:
            found = socket.getaddrinfo(self.host.strip("[]"), self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return super()._new_conn()  # which fails too, in urllib3's words
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


class _TLSConnection(_Connection, urllib3.connection.HTTPSConnection):
    @property
    def is_connected(self) -> bool:
        """Whether it lies idle and open. urllib3 takes whatever there is to read for the end, also
        the tickets that a server sends after the handshake (RFC 8446 4.6.1): none that was made
        ready beforehand would be used."""
        if self.sock is None:
            return False
        seconds = self.sock.gettimeout()
        try:
            self.sock.settimeout(0)
            self.sock.recv(1)  # takes tickets in; an end, or data that nobody asked for, is no good
        except ssl.SSLWantReadError:
            self.sock.settimeout(seconds)
            return True
        except (OSError, ValueError):
            pass
        return False


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


POOLS = {"http": _Pool, "https": _TLSPool}


@functools.cache
def tls_context() -> ssl.SSLContext:
    """The system's certificates and certifi's: a slim container image may have no system ones.

    Parsing them costs more than a whole sign-in, so it is done once per process.
    """
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
