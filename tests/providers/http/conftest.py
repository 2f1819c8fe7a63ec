"""Fixtures: servers to connect to, and a transport."""

import ssl
from collections.abc import Callable, Iterator

import pytest

from providers.http import connections
from providers.http.transport import Transport
from tests.providers.http.peers import GOOD, Answer, Peer, certificate, tunnel_to


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
    """Short time limits for servers that are slow on purpose; ``undo`` restores the real ones."""
    monkeypatch.setattr(connections, "CONNECT_SECONDS", 0.1)
    monkeypatch.setattr(connections, "READ_SECONDS", 0.08)
    monkeypatch.setattr(connections, "TOTAL_SECONDS", 0.12)
    return monkeypatch


@pytest.fixture
def transport() -> Iterator[Transport]:
    transport = Transport()
    yield transport
    transport.close()


@pytest.fixture
def proxied(serve, monkeypatch, tmp_path):
    """https://provider.example behind a proxy: its peer, the proxy's, its certificate."""
    server_side, path = certificate(tmp_path, "provider.example")
    provider = serve(tls=server_side)
    proxy = serve(tunnel_to(provider))
    monkeypatch.setenv("https_proxy", proxy.url)
    monkeypatch.delenv("no_proxy", raising=False)
    return provider, proxy, path
