"""The circuit breaker: a dead provider is not called for a while, a slow one holds few threads."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from errors import ProviderDown, ProviderError
from providers.http import breaker, connections
from providers.http.breaker import FAILURES_IN_A_ROW
from providers.http.cache import Cached
from providers.http.transport import Transport
from telemetry import logs
from tests.providers.http.peers import GOOD, OK, SLOW, Peer, http, reset

LONG = 3600.0


class Clock:
    """The breaker's time, which stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(breaker, "time", clock)
    return clock


@pytest.fixture
def transport() -> Iterator[Transport]:
    transport = Transport()
    yield transport
    transport.close()


def ask(transport: Transport, peer: Peer) -> object:
    """The result of a call: its response, or the exception."""
    try:
        return transport.get_json(peer.url)
    except ProviderError as error:
        return error


def is_refused(end: object) -> bool:
    """Whether the provider was not called at all."""
    return isinstance(end, ProviderDown) and "not asked" in end.detail


def kill(transport: Transport, peer: Peer) -> None:
    """Let calls fail until the breaker opens."""
    peer.answer = reset
    for _ in range(FAILURES_IN_A_ROW):
        assert not is_refused(ask(transport, peer))


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("how", ["resets", "is not there", "is silent"])
def test_a_dead_provider_is_not_called_for_a_while(serve, transport, impatient, how):
    peer = serve({"is silent": SLOW["says nothing"]}.get(how, reset))
    if how == "is not there":
        peer.stop()
    for _ in range(FAILURES_IN_A_ROW):
        end = ask(transport, peer)
        assert isinstance(end, ProviderDown)
        assert not is_refused(end)
    asked = len(peer.requests)
    for _ in range(20):
        end = ask(transport, peer)
        assert is_refused(end)
        assert "failed 5 times in a row, next try in 5 s" in str(end)
        assert isinstance(end, ProviderDown)
        assert (end.status, end.wait_seconds) == (502, 5)
    assert len(peer.requests) == asked


def test_an_open_breaker_lets_one_call_through_after_growing_delays(serve, transport, clock):
    peer = serve()
    kill(transport, peer)
    for wait in (5, 10, 20, 40, 60, 60):
        clock.now += wait - 0.5
        assert is_refused(ask(transport, peer))
        clock.now += 0.6
        assert not is_refused(ask(transport, peer))
        assert is_refused(ask(transport, peer))
    peer.answer = GOOD
    clock.now += 61
    for _ in range(3):
        assert ask(transport, peer) == OK
    # The breaker starts over: a single failure does not open it, and the first wait is short.
    kill(transport, peer)
    assert "next try in 5 s" in str(ask(transport, peer))


def test_during_a_trial_call_others_are_refused(serve, transport, clock):
    peer = serve()
    kill(transport, peer)
    clock.now += 6
    arrived, may_answer = threading.Event(), threading.Event()

    def wait(connection):
        arrived.set()
        assert may_answer.wait(30)
        GOOD(connection)

    peer.answer = wait
    with ThreadPoolExecutor(1) as pool:
        trying = pool.submit(ask, transport, peer)
        assert arrived.wait(30)
        peer.answer = GOOD
        assert all(is_refused(ask(transport, peer)) for _ in range(10))
        may_answer.set()
        assert trying.result(30) == OK
    assert ask(transport, peer) == OK


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("status", ["500 Internal Server Error", "503 Service Unavailable"])
def test_a_provider_that_answers_with_errors_is_still_called(serve, transport, status):
    peer = serve(http(b"{}", status))
    for _ in range(3 * FAILURES_IN_A_ROW):
        assert not is_refused(ask(transport, peer))
    # Such a response also ends a series of failures.
    peer.answer = reset
    for _ in range(FAILURES_IN_A_ROW - 1):
        ask(transport, peer)
    peer.answer = http(b"{}", status)
    ask(transport, peer)
    peer.answer = reset
    for _ in range(FAILURES_IN_A_ROW - 1):
        assert not is_refused(ask(transport, peer))


@pytest.mark.usefixtures("clock")
def test_the_breaker_is_per_host_and_shared_between_providers(serve, transport):
    dead, other = serve(), serve()
    kill(transport.named("one"), dead)
    assert is_refused(ask(transport.named("two"), dead))
    assert ask(transport.named("one"), other) == OK


def test_a_breaker_is_logged_once_when_it_opens_and_once_when_it_closes(
    serve, transport, clock, capfd
):
    logs.configure("INFO", "json")
    peer = serve()
    kill(transport, peer)
    for _ in range(3):
        clock.now += 100
        ask(transport, peer)
        ask(transport, peer)
    peer.answer = GOOD
    clock.now += 100
    ask(transport, peer)
    ask(transport, peer)
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    away, back = lines
    assert (away["event"], away["level"]) == ("provider_away", "warning")
    assert (away["origin"], away["failures"]) == (peer.url.rstrip("/"), FAILURES_IN_A_ROW)
    assert (back["event"], back["away_seconds"]) == ("provider_back", 400)


@pytest.mark.usefixtures("clock")
def test_no_connection_is_opened_in_advance_to_a_dead_provider(serve, transport, monkeypatch):
    monkeypatch.setattr("providers.http.transport.IDLE_SECONDS", -LONG)
    peer = serve()
    transport.warm(peer.url)
    kill(transport, peer)
    made = peer.connections
    transport.warm(peer.url)
    assert ask(transport, serve()) == OK  # every earlier request has arrived
    assert peer.connections == made


# A slow provider.


@pytest.fixture
def turnstile(serve) -> Iterator[tuple[Peer, threading.Semaphore, threading.Event]]:
    """A server that holds every request until it is opened, and counts arrivals."""
    arrived, opened = threading.Semaphore(0), threading.Event()

    def wait(connection):
        arrived.release()
        assert opened.wait(30)
        GOOD(connection)

    peer = serve(wait)
    yield peer, arrived, opened
    opened.set()


def crowd(
    pool: ThreadPoolExecutor, call: Callable[[], object], arrived: threading.Semaphore, count: int
) -> list[Future[object]]:
    """Start this many calls, and wait until each has arrived."""
    futures = []
    for _ in range(count):
        futures.append(pool.submit(call))
        assert arrived.acquire(timeout=30)
    return futures


def test_a_slow_provider_holds_a_limited_number_of_threads(turnstile, serve, clock):
    peer, arrived, opened = turnstile
    transport = Transport(max_waiting=3)
    slow, other = transport.named("slow"), transport.named("other")
    with ThreadPoolExecutor(4) as pool:
        held = crowd(pool, lambda: ask(slow, peer), arrived, 3)
        clock.now += breaker.SLOW_SECONDS + 0.1
        end = ask(slow, peer)
        assert is_refused(end)
        assert "slow not asked: 3 requests wait for it already" in str(end)
        # Another host of the same provider accepts no more calls, either; another provider does.
        elsewhere = serve()
        assert is_refused(ask(slow, elsewhere))
        assert ask(other, elsewhere) == OK
        opened.set()
        assert [future.result(30) for future in held] == [OK] * 3
    assert ask(slow, peer) == OK
    transport.close()


def test_a_busy_provider_that_answers_serves_every_call(turnstile):
    """More concurrent calls than may wait, to a provider that answers as usual: none is refused."""
    peer, arrived, opened = turnstile
    transport = Transport(max_waiting=3)
    with ThreadPoolExecutor(12) as pool:
        ends = crowd(pool, lambda: ask(transport, peer), arrived, 3)
        ends += [pool.submit(ask, transport, peer) for _ in range(9)]
        opened.set()
        assert [future.result(30) for future in ends] == [OK] * 12
    transport.close()


def test_waiting_for_a_background_call_counts_and_the_call_itself_does_not(turnstile, clock):
    peer, arrived, opened = turnstile
    transport = Transport(max_waiting=2)
    with ThreadPoolExecutor(4) as pool:
        begun = [transport.beside(lambda: ask(transport, peer)) for _ in range(4)]
        for _ in begun:
            assert arrived.acquire(timeout=30)
        held = crowd(pool, lambda: ask(transport, peer), arrived, 2)
        clock.now += breaker.SLOW_SECONDS + 0.1
        with pytest.raises(ProviderDown, match="wait for it already"):
            begun[0]()
        opened.set()
        assert [future.result(30) for future in held] == [OK] * 2
        assert [wait() for wait in begun] == [OK] * 4
    transport.close()


# Pages.


def test_the_button_of_a_dead_provider_is_refused_immediately(make_site, serve, monkeypatch):
    """The sign-in page and other providers work as usual, and pressing the button again does not
    wait."""
    monkeypatch.setattr(breaker, "FIRST_WAIT_SECONDS", LONG)
    peer = serve(reset)
    site = make_site(GITHUB_TOKEN_URL=f"{peer.url}token", GOOGLE_ISSUER=peer.url.rstrip("/"))
    browser = site.browser()
    for _ in range(FAILURES_IN_A_ROW):
        assert browser.sign_in("github", "ada").status == 502
    asked = len(peer.requests)
    # GitHub's button makes no call; its callback is refused immediately.
    page = browser.sign_in("github", "ada")
    assert (page.status, page.alert) == (502, "GitHub isn't answering")
    assert page.headers["Retry-After"] == str(int(LONG))
    assert "Try again" in page.buttons
    # An issuer's button needs its metadata.
    page = browser.get("/login/google")
    assert (page.status, page.alert) == (502, "Google isn't answering")
    assert page.headers["Retry-After"]
    assert len(peer.requests) == asked
    assert browser.sign_in("facebook", "grace").path == "/account"


def test_a_slow_issuer_holds_one_thread(serve, turnstile, monkeypatch):
    """A caller without a cached copy waits for the usual time, and no longer."""
    monkeypatch.setattr("providers.http.cache.SLOW_SECONDS", 0.2)
    monkeypatch.setattr(connections, "TOTAL_SECONDS", 20)
    peer, arrived, opened = turnstile
    transport = Transport()
    from_afar = Cached(lambda: transport.get_json(peer.url))
    with ThreadPoolExecutor(2) as pool:
        reading = pool.submit(from_afar.get)
        assert arrived.acquire(timeout=30)
        for _ in range(5):
            with pytest.raises(ProviderDown, match="takes long"):
                from_afar.get()
        opened.set()
        assert reading.result(30) == OK
    assert from_afar.get() == OK
    transport.close()
