"""How this process reaches providers: one pool of connections, every call bounded in time and size.

No redirect is followed and no POST is sent twice. A call ends within TOTAL_SECONDS
however slowly the other side drips; resolving a host name alone is left to the system.
"""

import functools
import http.client
import io
import json
import logging
import re
import socket
import ssl
import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import certifi
import requests
import urllib3
from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3.util.connection import create_connection
from urllib3.util.retry import Retry

import metrics
from errors import ProviderDown, ProviderError
from providers.base import NotShared

CONNECT_SECONDS = 3.05
READ_SECONDS = 8.0
TOTAL_SECONDS = 12.0
ANSWER_MAX_BYTES = 1024 * 1024
POOLED_HOSTS = 32
POOLED_CONNECTIONS_PER_HOST = 32
HEADERS = {"Accept": "application/json", "User-Agent": "Quickstep"}

# Their warnings hold whole addresses, and a query may hold what a log must not.
for _name in ("urllib3.connection", "urllib3.connectionpool"):
    logging.getLogger(_name).setLevel(logging.ERROR)

_deadline: ContextVar[float] = ContextVar("deadline", default=float("inf"))


class _BoundedStream(io.RawIOBase):
    """A socket's stream whose reads stop at the deadline of the call they belong to."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._stream = connection.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = _deadline.get() - time.monotonic()
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
            remaining = _deadline.get() - time.monotonic()
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
    pass


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


class Transport(HTTPAdapter):
    """A requests adapter that is shared by all sessions of the process.

    ``send`` returns a response whose body was read whole, or raises ProviderDown
    (unreachable: 502, out of time: 504) or ProviderError (too large, not HTTP).
    """

    # Whom its calls are counted for.
    name = "other"

    def __init__(self) -> None:
        self._proxies: dict[str, dict[str, str]] = {}
        # "other" is an error inside TLS, which may come after the request was sent.
        retry = Retry(
            total=1,
            connect=1,
            read=1,
            redirect=0,
            status=0,
            other=0,
            allowed_methods={"GET"},
            respect_retry_after_header=False,
        )
        super().__init__(POOLED_HOSTS, POOLED_CONNECTIONS_PER_HOST, max_retries=retry)

    def named(self, name: str) -> "Transport":
        """The same connections, whose calls are counted for a provider."""
        other = Transport.__new__(Transport)
        other.__dict__.update(self.__dict__, name=name)
        return other

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=tls_context(), **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, ssl_context=tls_context(), **kwargs)
        if proxy.lower().startswith("http"):  # a SOCKS proxy has pools of its own
            manager.pool_classes_by_scheme = POOLS
        return manager

    def cert_verify(self, conn: Any, *_: Any) -> None:
        # Without this, requests names a CA file here and every new connection parses it again.
        conn.cert_reqs = "CERT_REQUIRED"

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, **_options: Any
    ) -> requests.Response:
        with metrics.upstream_call(self.name) as call:
            try:
                response = self._send(request)
            except ProviderDown as error:
                call.result = "timeout" if error.status == 504 else "unreachable"
                raise
            call.result = f"{response.status_code // 100}xx"
        return response

    def _send(self, request: requests.PreparedRequest) -> requests.Response:
        mark = _deadline.set(time.monotonic() + TOTAL_SECONDS)
        try:
            response = super().send(
                request,
                stream=True,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                proxies=self._proxies_for(request.url or ""),
            )
            _read_body(response)
        except requests.exceptions.Timeout as error:
            raise ProviderDown(_describe(request, error), timed_out=True) from None
        except (requests.exceptions.ConnectionError, OSError) as error:
            timed_out = isinstance(error, TimeoutError) or "timed out" in str(error)
            raise ProviderDown(_describe(request, error), timed_out=timed_out) from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
            timed_out = isinstance(error, urllib3.exceptions.TimeoutError)
            if timed_out or isinstance(error, urllib3.exceptions.ProtocolError):
                raise ProviderDown(_describe(request, error), timed_out=timed_out) from None
            raise ProviderError(_describe(request, error)) from None
        finally:
            _deadline.reset(mark)
        return response

    def _proxies_for(self, url: str) -> dict[str, str]:
        """The proxy variables of the environment, looked up once per origin."""
        origin = "/".join(url.split("/", 3)[:3])
        if origin not in self._proxies:
            self._proxies[origin] = requests.utils.get_environ_proxies(origin)
        return self._proxies[origin]

    def get_json(self, url: str) -> Any:
        """Fetch a public JSON document. Raises ProviderError."""
        return self.get_dated_json(url)[0]

    def get_dated_json(self, url: str) -> tuple[Any, float | None]:
        """A public JSON document and for how many seconds it stays fresh, where it says.

        Raises ProviderError.
        """
        response = self.send(prepare("GET", url))
        return read_json(response), fresh_seconds(response.headers)


def prepare(
    method: str, url: str, data: Mapping[str, str] | None = None, *, as_json: bool = False
) -> PreparedRequest:
    """A request with our headers; ``data`` is its form, or its JSON object.

    Raises ProviderError where the address cannot be one.
    """
    form, document = (None, data) if as_json else (data, None)
    try:
        return requests.Request(method, url, HEADERS, data=form, json=document).prepare()
    except ValueError as error:
        raise ProviderError(f"{method} {_place(url)}: {type(error).__name__}") from None


def fresh_seconds(headers: Mapping[str, str]) -> float | None:
    """How long an answer may be kept (RFC 9111 4.2.1): max-age less Age; None where unsaid."""
    said = headers.get("Cache-Control", "").lower()
    directives = dict(part.strip().partition("=")[::2] for part in said.split(","))
    if "no-store" in directives or "no-cache" in directives:
        return 0
    max_age, age = directives.get("max-age", "").strip('"'), headers.get("Age", "")
    if not re.fullmatch(r"[0-9]{1,9}", max_age):
        return None
    already = int(age) if re.fullmatch(r"[0-9]{1,9}", age) else 0
    return max(0, int(max_age) - already)


def read_json(response: requests.Response) -> Any:
    """The JSON of an answer that must be a success.

    Raises NotShared (401, 403, 404) or ProviderError: any other status, or not JSON.
    """
    where = f"{_place(response.url)} answered {response.status_code}"
    if response.status_code in (401, 403, 404):
        raise NotShared(where)
    if response.status_code != 200:
        raise ProviderError(where)
    return parse_json(response.content, where)


def parse_json(body: bytes, where: str) -> Any:
    """Raises ProviderError for what is not JSON, is not UTF-8 or nests too deep."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProviderError(f"{where} without JSON ({type(error).__name__})") from None


def _read_body(response: requests.Response) -> None:
    body = bytearray()
    try:
        for chunk in response.raw.stream(65536, decode_content=True):
            body += chunk
            if len(body) > ANSWER_MAX_BYTES:
                response.raw.close()
                raise ProviderError(f"{_place(response.url)} answered more than a megabyte")
    finally:
        response.raw.release_conn()
    # As requests does when it reads a body itself.
    response._content = bytes(body)  # noqa: SLF001
    response._content_consumed = True  # noqa: SLF001


def _describe(request: requests.PreparedRequest, error: Exception) -> str:
    return f"{request.method} {_place(request.url)}: {type(error).__name__}"


def _place(url: str | None) -> str:
    """Where a request went, without its query: that may hold what a log must not."""
    return (url or "").partition("?")[0]
