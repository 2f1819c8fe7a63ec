"""The transport to providers: one pool of connections, every call bounded in time and size.

No redirect is followed and no POST is sent twice. A call ends within TOTAL_SECONDS
(connections.py); breaker.py limits the cost of a failing provider.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

import requests
import urllib3
from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from errors import ProviderDown, ProviderError
from providers.http import connections, counting
from providers.http.breaker import MAX_WAITING, Breaker, mark_as_beside
from providers.http.connections import POOLS, deadline, tls_context
from providers.http.responses import Answer, fresh_seconds, place, read_json
from telemetry import metrics

ANSWER_MAX_BYTES = 1024 * 1024
POOLED_HOSTS = 32
POOLED_CONNECTIONS_PER_HOST = 32
# The maximum of concurrent background calls.
BESIDE_MAX = 32
# A host may close connections that were idle for this long.
IDLE_SECONDS = 2
HEADERS = {"Accept": "application/json", "User-Agent": "Quickstep"}

# Their warnings contain whole addresses, and a query may hold secrets.
for _name in ("urllib3.connection", "urllib3.connectionpool"):
    logging.getLogger(_name).setLevel(logging.ERROR)

T = TypeVar("T")


class Transport(HTTPAdapter):
    """The connections of one process, and the adapter with which sessions of requests use them.

    ``ask`` and ``send`` return a response with its whole body, or raise ProviderDown (unreachable:
    502, timeout: 504) or ProviderError (too large, not HTTP). ``max_waiting``: how many requests
    may wait for one provider (``named``) at a time.
    """

    # The provider that its calls are counted for.
    name = "other"
    # The limits of an answer's body, and of a call (None: as connections.py says).
    max_bytes, max_words = ANSWER_MAX_BYTES, "a megabyte"
    total_seconds: float | None = None
    decodes = True

    def __init__(self, max_waiting: int = MAX_WAITING) -> None:
        self.breaker = Breaker(self.name, max_waiting)
        self._proxies: dict[str, dict[str, str]] = {}
        self._spoken: dict[str, float] = {}
        self._beside = ThreadPoolExecutor(BESIDE_MAX, "beside", mark_as_beside)
        self._free = threading.BoundedSemaphore(BESIDE_MAX)
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
        """Return the same connections, with the places and the metrics of one provider."""
        other = Transport.__new__(Transport)
        other.__dict__.update(self.__dict__, name=name, breaker=self.breaker.named(name))
        return other

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=tls_context(), **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, ssl_context=tls_context(), **kwargs)
        if proxy.lower().startswith("http"):  # a SOCKS proxy has pools of its own
            manager.pool_classes_by_scheme = POOLS
        return manager

    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = HEADERS,
        form: Mapping[str, str] | None = None,
        document: object = None,
    ) -> Answer:
        """Send one request with our headers; ``form`` is its body, or ``document`` as JSON."""
        body, sent = None, dict(headers)
        if form is not None:
            body = urlencode(form).encode()
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        elif document is not None:
            body = json.dumps(document).encode()
            sent["Content-Type"] = "application/json"
        raw, content = self._exchange(method, url, sent, body)
        return Answer(url, raw.status, raw.headers, content)

    def send(  # type: ignore[override]
        self, request: PreparedRequest, **_options: Any
    ) -> requests.Response:
        headers = cast(Mapping[str, str], request.headers)
        raw, content = self._exchange(
            request.method or "GET", request.url or "", headers, request.body
        )
        response = self.build_response(request, raw)
        # Requests does the same when it reads a body.
        response._content, response._content_consumed = content, True  # noqa: SLF001
        return response

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: Any
    ) -> tuple[urllib3.BaseHTTPResponse, bytes]:
        """Return a response and its body."""
        with self.breaker.call(_origin(method, url)):
            return self._ask_now(method, url, headers, body)

    def _ask_now(
        self, method: str, url: str, headers: Mapping[str, str], body: Any
    ) -> tuple[urllib3.BaseHTTPResponse, bytes]:
        counting.note_call()
        mark = deadline.set(time.monotonic() + (self.total_seconds or connections.TOTAL_SECONDS))
        try:
            with metrics.upstream_call(self.name) as call:
                try:
                    raw = self._open(method, url, headers, body)
                    content = self._read(raw, url)
                except FAILURES as error:
                    told = _told(method, url, error)
                    if isinstance(told, ProviderDown):
                        call.result = "timeout" if told.status == 504 else "unreachable"
                    raise told from None
                call.result = f"{raw.status // 100}xx"
                return raw, content
        finally:
            deadline.reset(mark)

    def _open(
        self, method: str, url: str, headers: Mapping[str, str], body: Any
    ) -> urllib3.BaseHTTPResponse:
        """Return the response, its body unread."""
        origin = _origin(method, url)
        self._spoken[origin] = time.monotonic()
        answer: urllib3.BaseHTTPResponse = self._pools_for(origin).urlopen(
            method,
            url,
            headers=headers,
            body=body,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
            retries=self.max_retries,
            timeout=urllib3.Timeout(
                connect=connections.CONNECT_SECONDS,
                read=connections.patience.get() or connections.READ_SECONDS,
            ),
        )
        return answer

    def _read(self, response: urllib3.BaseHTTPResponse, url: str) -> bytes:
        body = bytearray()
        try:
            for chunk in response.stream(65536, decode_content=self.decodes):
                body += chunk
                if len(body) > self.max_bytes:
                    response.close()
                    raise ProviderError(f"{place(url)} answered more than {self.max_words}")
        finally:
            response.release_conn()
        return bytes(body)

    def _pools_for(self, origin: str) -> Any:
        """Return the pools for an origin: behind the proxy of the environment, which is looked up
        once per origin."""
        if origin not in self._proxies:
            self._proxies[origin] = requests.utils.get_environ_proxies(origin)
        proxy = requests.utils.select_proxy(origin, self._proxies[origin])
        if proxy is None:
            return self.poolmanager
        # As requests does: many proxies are given as host and port alone.
        return self.proxy_manager_for(requests.utils.prepend_scheme_if_needed(proxy, "http"))

    def beside(self, verb: Callable[[], T]) -> Callable[[], T]:
        """Begin a call in the background. The returned function waits for it, and returns or raises
        its result. If too many are running, the call is made when it is waited for, so that a slow
        provider takes no thread from another."""
        if not self._free.acquire(blocking=False):
            return verb
        future: Future[T] = self._beside.submit(verb)
        future.add_done_callback(lambda _future: self._free.release())

        def wait() -> T:
            with self.breaker.places:
                return future.result()

        return wait

    def warm(self, url: str, count: int = 1) -> bool:
        """Open connections to this address in the background if the last ones may be closed; return
        whether that was needed."""
        origin, now = _origin("GET", url), time.monotonic()
        if now - self._spoken.get(origin, -IDLE_SECONDS) < IDLE_SECONDS:
            return False
        if self.breaker.is_open(origin):
            return False
        self._spoken[origin] = now
        self.beside(lambda: self._connect(origin, count))
        return True

    def _connect(self, origin: str, count: int) -> None:
        """Take connections of the pool, check that they are open, and put them back."""
        mark = deadline.set(time.monotonic() + connections.TOTAL_SECONDS)
        try:
            pool = self._pools_for(origin).connection_from_url(origin)
            if pool.proxy is not None:  # a tunnel would have to be requested first
                return
            # A connection that the other side has closed is returned closed.
            taken = [pool._get_conn() for _ in range(count)]  # noqa: SLF001
            for connection in taken:
                try:
                    if connection.is_closed:
                        connection.connect()
                except FAILURES:  # the call that needs it gets the error
                    connection.close()  # otherwise the next call would take it for open
                pool._put_conn(connection)  # noqa: SLF001
        finally:
            deadline.reset(mark)

    def get_json(self, url: str) -> Any:
        """Fetch a public JSON document. Raises ProviderError."""
        return self.get_dated_json(url)[0]

    def get_dated_json(self, url: str) -> tuple[Any, float | None]:
        """Return the same, and for how many seconds it stays fresh if it says so."""
        answer = self.ask("GET", url)
        return read_json(answer), fresh_seconds(answer.headers)


FAILURES = (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError)


def _told(method: str, url: str, error: Exception) -> ProviderError:
    """Convert a transport error into the provider's error."""
    cause = error.reason if isinstance(error, urllib3.exceptions.MaxRetryError) else error
    detail = f"{method} {place(url)}: {type(cause or error).__name__}"
    # In urllib3 an unreachable host is a subclass of timeout.
    unreachable = urllib3.exceptions.NewConnectionError
    if isinstance(cause, (urllib3.exceptions.TimeoutError, TimeoutError)) and not isinstance(
        cause, unreachable
    ):
        return ProviderDown(detail, timed_out=True)
    down = (
        OSError,
        unreachable,
        urllib3.exceptions.ProtocolError,
        urllib3.exceptions.SSLError,
        urllib3.exceptions.ProxyError,
    )
    if isinstance(cause, down) and not isinstance(cause, requests.exceptions.RequestException):
        return ProviderDown(detail, timed_out="timed out" in str(cause))
    return ProviderError(detail)


def goes_through_proxy(url: str) -> bool:
    """Return whether requests there take a proxy of the environment."""
    scheme = url.partition(":")[0]
    return bool({scheme, "all"} & set(requests.utils.get_environ_proxies(url)))


def prepare(method: str, url: str) -> PreparedRequest:
    """Prepare a request with our headers. Raises ProviderError if the address is invalid."""
    try:
        return requests.Request(method, url, HEADERS).prepare()
    except ValueError as error:
        raise ProviderError(f"{method} {place(url)}: {type(error).__name__}") from None


def _origin(method: str, url: str) -> str:
    """Return scheme, host and port. Raises ProviderError."""
    if not url.startswith(("http://", "https://")):
        raise ProviderError(f"{method} {place(url)}: not an address")
    return "/".join(url.split("/", 3)[:3])
