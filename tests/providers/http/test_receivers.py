"""Receivers of webhooks: no message goes to an address that the operator did not allow."""

import socket
import ssl
import time
from typing import Any

import pytest

from errors import ProviderError
from providers.http import public, receivers
from providers.http import transport as module
from providers.http.receivers import is_private, post_to_receiver
from tests.providers.http.peers import certificate, http

NAME = "receiver.example"
PUBLIC = "93.184.215.14"
REFUSED = [
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("::1", "fd00::8", "fd00:ec2::254", "fe80::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254"),
]
NEVER = [
    "169.254.169.254",
    "fd00:ec2::254",
    "fe80::1",
    "::ffff:169.254.169.254",
    "0.0.0.0",
    "::",
    "224.0.0.1",
]


@pytest.fixture
def resolve(monkeypatch):
    """Lets the name server give these answers for the name, one after the other."""
    real = socket.getaddrinfo

    def answer(*turns: list[str]) -> None:
        left = list(turns)

        def getaddrinfo(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
            if host != NAME:
                return real(host, port, *args, **kwargs)
            found = left.pop(0) if len(left) > 1 else left[0]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return answer


@pytest.fixture
def no_connection(monkeypatch):
    """The addresses to which a connection is tried; none succeeds."""
    tried: list[str] = []

    def connect(address: tuple[str, int], *_args: Any) -> socket.socket:
        tried.append(address[0])
        raise OSError("unreachable here")

    monkeypatch.setattr(public, "create_connection", connect)
    return tried


def post(url: str, *, allows_private: bool = False) -> int:
    return post_to_receiver(url, {}, b"{}", allows_private=allows_private).status_code


@pytest.mark.parametrize("address", REFUSED)
def test_no_message_goes_to_a_special_address(no_connection, resolve, address):
    resolve([address])
    host = f"[{address}]" if ":" in address else address
    for url in (f"https://{NAME}/hook", f"https://{host}/hook"):
        with pytest.raises(ProviderError, match="AddressRefused"):
            post(url)
    assert no_connection == []


@pytest.mark.parametrize("address", NEVER)
def test_link_local_addresses_are_refused_even_if_private_ones_are_not(
    no_connection, resolve, address
):
    resolve([address])
    for scheme in ("http", "https"):
        with pytest.raises(ProviderError, match="AddressRefused"):
            post(f"{scheme}://{NAME}/hook", allows_private=True)
    assert no_connection == []


def test_a_name_with_one_special_address_is_not_connected_to(no_connection, resolve):
    resolve([PUBLIC, "10.0.0.1"])
    with pytest.raises(ProviderError, match="AddressRefused"):
        post(f"https://{NAME}/hook")
    assert no_connection == []


def test_a_name_that_changes_its_address_between_check_and_connection_leads_nowhere_else(
    no_connection, resolve
):
    resolve([PUBLIC], ["127.0.0.1"])
    with pytest.raises(ProviderError):
        post(f"https://{NAME}/hook")
    assert set(no_connection) <= {PUBLIC}


def test_without_tls_no_message_leaves_the_private_network(no_connection, resolve):
    resolve([PUBLIC])
    with pytest.raises(ProviderError, match="AddressRefused"):
        post(f"http://{NAME}/hook", allows_private=True)
    with pytest.raises(ProviderError, match="NotHTTPS"):
        post("http://127.0.0.1/hook")
    assert no_connection == []


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "192.168.0.9", "fd12::1", "::1"])
def test_addresses_of_private_networks_are_private(address):
    assert is_private(address)


@pytest.mark.parametrize("address", [PUBLIC, "2606:4700:4700::1111", *NEVER, "fe80::1%eth0"])
def test_others_are_not(address):
    assert not is_private(address)


def test_a_private_receiver_gets_a_message_over_tls_too(serve, monkeypatch, tmp_path, resolve):
    server_side, path = certificate(tmp_path, NAME)
    context = ssl.create_default_context(cafile=str(path))
    monkeypatch.setattr(module, "tls_context", lambda: context)
    resolve(["127.0.0.1"])
    peer = serve(tls=server_side)
    assert post(f"https://{NAME}:{peer.port}/hook", allows_private=True) == 200
    assert peer.methods() == ["POST"]


def test_a_redirect_is_not_followed(serve):
    peer = serve()
    peer.answer = http(b"", "307 Temporary Redirect", f"Location: {peer.url}elsewhere")
    assert post(peer.url, allows_private=True) == 307
    assert len(peer.requests) == 1


def test_a_body_without_an_end_is_read_only_so_far(serve):
    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    peer = serve()
    peer.answer = endless
    assert post(peer.url, allows_private=True) == 200


def test_the_proxy_of_the_environment_is_not_taken(serve, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert post(serve().url, allows_private=True) == 200


def test_a_receiver_that_says_nothing_is_left(serve, monkeypatch):
    monkeypatch.setattr(receivers._Receiver, "total_seconds", 0.2)
    peer = serve()
    peer.answer = lambda _connection: time.sleep(1)
    with pytest.raises(ProviderError):
        post(peer.url, allows_private=True)
