"""TLS: certificates and host names are always checked."""

import os
import socket
import ssl
import time
from contextlib import closing

import pytest
import requests

from errors import ProviderDown
from providers.http.connections import tls_context
from tests.providers.http.peers import OK, certificate, post, trusting


def test_a_trusted_certificate_is_accepted_and_its_connection_kept(serve, monkeypatch, tmp_path):
    server_side, path = certificate(tmp_path, "127.0.0.1")
    peer = serve(tls=server_side)
    with closing(trusting(path, monkeypatch)) as transport:
        assert [transport.get_json(peer.url) for _ in range(3)] == [OK] * 3
    assert peer.connections == 1


def test_an_untrusted_certificate_is_refused_before_any_request_is_sent(serve, transport, tmp_path):
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


def test_no_caller_can_disable_certificate_checks(serve, transport, tmp_path):
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
def test_a_tls_error_during_the_response_does_not_repeat_a_post(
    serve, monkeypatch, tmp_path, method
):
    """A TLS error while the response is read comes after the request was sent."""

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
