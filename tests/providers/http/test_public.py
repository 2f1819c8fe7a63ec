"""Addresses that strangers name: no connection leads anywhere but to the public internet."""

import gzip
import socket
import ssl
from typing import Any

import pytest

from errors import ProviderDown, ProviderError
from providers.http import public
from providers.http import transport as module
from providers.http.public import ask_public, is_public
from tests.providers.http.peers import GOOD, SLOW, certificate, http

NAME = "stranger.example"
PUBLIC = "93.184.215.14"
SPECIAL = [
    *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1"),
    *("169.254.169.254", "192.0.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1"),
    *("255.255.255.255", "192.88.99.1", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
    *("fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "64:ff9b::7f00:1"),
    *("2002:7f00:1::", "2001:db8::1", "2001::1", "::127.0.0.1", "not an address"),
]


@pytest.fixture
def resolve(monkeypatch):
    """Lets the name server give these answers for the name, one after the other."""
    real = socket.getaddrinfo

    def answer(*turns: list[str]) -> list[str]:
        left, asked = list(turns), []

        def getaddrinfo(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
            if host != NAME:
                return real(host, port, *args, **kwargs)
            asked.append(host)
            found = left.pop(0) if len(left) > 1 else left[0]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return answer


@pytest.fixture
def stranger(serve, resolve, monkeypatch, tmp_path):
    """https://stranger.example on this machine, which counts as public here."""
    server_side, path = certificate(tmp_path, NAME)
    context = ssl.create_default_context(cafile=str(path))
    monkeypatch.setattr(module, "tls_context", lambda: context)
    monkeypatch.setattr(public, "is_public", lambda text: text == "127.0.0.1")
    resolve(["127.0.0.1"])
    return serve(tls=server_side)


def url_of(peer: Any) -> str:
    return f"https://{NAME}:{peer.port}/app.json"


@pytest.mark.parametrize("address", SPECIAL)
def test_addresses_of_special_use_are_not_public(address):
    assert not is_public(address)


def test_others_are_public():
    assert is_public(PUBLIC)
    assert is_public("2606:4700:4700::1111")


@pytest.mark.parametrize("found", [["127.0.0.1"], [PUBLIC, "127.0.0.1"], ["169.254.169.254"]])
def test_a_name_with_a_special_address_is_not_connected_to(serve, resolve, found):
    peer = serve()
    resolve(found)
    with pytest.raises(ProviderDown):
        ask_public(url_of(peer))
    assert peer.connections == 0


def test_a_name_that_changes_its_address_leads_nowhere_else(serve, resolve, monkeypatch):
    """DNS rebinding: public while it is checked, this machine afterwards."""
    peer, connected = serve(), []

    def connect(address: tuple[str, int], *_args: Any) -> socket.socket:
        connected.append(address[0])
        raise OSError("unreachable here")

    monkeypatch.setattr(public, "create_connection", connect)
    resolve([PUBLIC], ["127.0.0.1"])
    with pytest.raises(ProviderDown):
        ask_public(url_of(peer))
    assert connected == [PUBLIC]
    assert peer.connections == 0


def test_another_address_at_the_other_end_is_left(stranger, resolve, monkeypatch):
    monkeypatch.setattr(public, "is_public", lambda text: text == PUBLIC)
    monkeypatch.setattr(
        public,
        "create_connection",
        lambda address, *_args: socket.create_connection(("127.0.0.1", address[1])),
    )
    resolve([PUBLIC])
    with pytest.raises(ProviderDown):
        ask_public(url_of(stranger))
    assert stranger.requests == []


def test_a_document_is_read_without_the_proxy_of_the_environment(stranger, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    assert ask_public(url_of(stranger)).content == b'{"ok": true}'
    assert stranger.methods() == ["GET"]


def test_a_redirect_is_not_followed(stranger):
    stranger.answer = http(b"", "302 Found", f"Location: {url_of(stranger)}2")
    assert ask_public(url_of(stranger)).status_code == 302
    assert len(stranger.requests) == 1


def test_five_kilobytes_are_read_and_no_more(stranger):
    stranger.answer = http(b"x" * 5 * 1024)
    assert len(ask_public(url_of(stranger)).content) == 5 * 1024
    stranger.answer = http(b"x" * (5 * 1024 + 1))
    with pytest.raises(ProviderError):
        ask_public(url_of(stranger))


def test_nothing_is_unpacked(stranger):
    packed = gzip.compress(b"x" * 1_000_000)
    stranger.answer = http(packed, "200 OK", "Content-Encoding: gzip")
    assert ask_public(url_of(stranger)).content == packed


@pytest.mark.parametrize("name", ["says nothing", "drips the body", "drips headers"])
def test_a_slow_stranger_is_left(stranger, monkeypatch, name):
    monkeypatch.setattr(public.PublicTransport, "total_seconds", 0.2)
    stranger.answer = SLOW[name]
    with pytest.raises(ProviderDown) as caught:
        ask_public(url_of(stranger))
    assert caught.value.status == 504


def test_a_few_strangers_at_a_time(stranger):
    taken = [public.PLACES.acquire(blocking=False) for _ in range(4)]
    try:
        assert all(taken)
        with pytest.raises(ProviderDown):
            ask_public(url_of(stranger))
    finally:
        public.PLACES.release(4)
    stranger.answer = GOOD
    assert ask_public(url_of(stranger)).status_code == 200


def test_only_https_is_asked():
    with pytest.raises(ProviderDown):
        ask_public("http://stranger.example/app.json")
