"""A slow or silent provider is abandoned within the time limit."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from errors import ProviderDown, ProviderError
from providers.http import connections
from tests.missing import lack
from tests.providers.http.peers import GOOD, OK, SLOW, Peer, post, say_nothing


@pytest.mark.parametrize("how", SLOW)
def test_a_slow_provider_is_abandoned_within_the_time_limit(serve, transport, impatient, how):
    """Stock Flask-Dance sets no time limit, so a worker hangs forever."""
    peer = serve(SLOW[how])
    with pytest.raises(ProviderDown) as caught:
        transport.get_json(peer.url)
    assert caught.value.status == 504
    impatient.undo()
    peer.answer = GOOD
    assert transport.get_json(peer.url) == OK


@pytest.mark.parametrize("how", SLOW)
def test_a_slow_token_endpoint_is_abandoned_and_not_retried(serve, transport, impatient, how):
    peer = serve(SLOW[how])
    with pytest.raises(ProviderDown) as caught:
        post(transport, peer.url)
    assert caught.value.status == 504
    impatient.undo()
    peer.answer = GOOD
    assert transport.get_json(peer.url) == OK
    # Connections are accepted in order, so every earlier request has arrived.
    assert (peer.methods().count("GET"), peer.connections) == (1, 2)


@pytest.mark.usefixtures("impatient")
def test_an_endless_response_is_abandoned_within_the_time_limit(serve, transport):
    """Interim responses without pause: each read is fast, and together they never end."""
    start = time.monotonic()

    def pour(connection: socket.socket) -> None:
        while time.monotonic() < start + 5:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with pytest.raises(ProviderDown) as caught:
        transport.get_json(serve(pour).url)
    assert caught.value.status == 504


@pytest.mark.usefixtures("impatient")
def test_a_tls_handshake_that_never_ends_is_abandoned(serve, transport):
    peer = Peer(say_nothing)
    with pytest.raises(ProviderDown) as caught:
        transport.get_json(f"https://127.0.0.1:{peer.port}/")
    peer.stop()
    assert caught.value.status == 504


@contextmanager
def black_hole(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A port whose connection queue is full, so that connecting never ends."""
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
    """Resolve every name to these addresses, in this order."""
    really = socket.getaddrinfo

    def choose(*addresses: str) -> None:
        def look_up(host: str, *args: Any, **kwargs: Any) -> list[Any]:
            hosts = [host] if host[0].isdigit() else addresses
            return [row for each in hosts for row in really(each, *args, **kwargs)]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)

    return choose


@pytest.mark.usefixtures("impatient")
def test_a_host_that_accepts_no_connection_is_abandoned(transport):
    with black_hole() as port, pytest.raises(ProviderDown) as caught:
        transport.get_json(f"http://127.0.0.1:{port}/")
    assert caught.value.status == 504


@pytest.mark.usefixtures("impatient")
def test_many_dead_addresses_take_no_longer_than_one_call(serve, transport, resolve):
    """Some providers have sixteen addresses; a worker must not wait for each."""
    peer = serve()
    resolve(*["127.0.0.2"] * 8, "127.0.0.1")
    with black_hole("127.0.0.2", peer.port), pytest.raises(ProviderDown) as caught:
        transport.get_json(f"http://many.example:{peer.port}/")
    assert caught.value.status == 504
    assert peer.connections == 0


def test_a_dead_address_among_several_does_not_fail_the_call(
    serve, transport, resolve, monkeypatch
):
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
def test_an_unreachable_host_is_a_provider_error(transport, url):
    with pytest.raises(ProviderError) as caught:
        transport.get_json(url)
    assert caught.value.status == 502


@pytest.mark.parametrize(
    "url",
    ["http://exa mple/", "http://*.example/", "http://x:99999/", "ftp://example.org/", "nowhere"],
)
def test_an_invalid_url_is_a_provider_error(transport, url):
    """URLs of a provider's metadata are used in requests."""
    with pytest.raises(ProviderError) as caught:
        transport.get_json(url)
    assert caught.value.status == 502


def test_a_slow_provider_does_not_delay_calls_to_others(serve, transport, monkeypatch):
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
