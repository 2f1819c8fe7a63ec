"""Connections that are opened before they are needed."""

import ssl
from contextlib import closing

from providers.http.transport import Transport
from tests.providers.http.peers import OK, certificate, post, trusting


def warmed(transport: Transport, url: str) -> None:
    """Open a connection in advance, and wait until that has succeeded or failed."""
    transport.warm(url)
    transport._beside.shutdown(wait=True)


def test_a_connection_opened_in_advance_is_used(serve, monkeypatch, tmp_path):
    server_side, path = certificate(tmp_path, "127.0.0.1")
    peer = serve(tls=server_side)
    with closing(trusting(path, monkeypatch)) as transport:
        warmed(transport, peer.url)
        assert peer.connections == 1
        assert transport.get_json(peer.url) == OK
    assert peer.connections == 1


def test_a_failed_advance_connection_does_not_fail_the_next_call(serve, monkeypatch, tmp_path):
    server_side, path = certificate(tmp_path, "127.0.0.1")
    peer = serve(tls=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))  # has no certificate
    with closing(trusting(path, monkeypatch)) as transport:
        warmed(transport, peer.url)
        peer._tls = server_side
        assert post(transport, peer.url).status_code == 200


def test_a_connection_opened_in_advance_through_a_proxy_is_used(proxied, monkeypatch):
    _provider, proxy, path = proxied
    with closing(trusting(path, monkeypatch)) as transport:
        warmed(transport, "https://provider.example/")
        assert post(transport, "https://provider.example/").status_code == 200
    assert all(request.startswith(b"CONNECT provider.example:443 ") for request in proxy.requests)
