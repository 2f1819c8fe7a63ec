"""Redirect URIs: which can be registered, and that no other is accepted."""

import random

import pytest

from issuer import redirects

REGISTERED = [
    "https://notes.example/callback",
    "https://notes.example/callback?next=1",
    "https://notes.example:8443/cb",
    "http://127.0.0.1/cb",
    "http://[::1]:8000/cb",
    "http://localhost/cb",
    "com.example.app:/cb",
]
PIECES = [
    *("/", "//", "\\", "?", "#", "@", ":", ".", "..", "%2e", "%00", "\x00", " ", "\t", "\n", "*"),
    *("evil.example", "https://", "http://", "user@", ":80", ":443", "é", "%5c", ";", "&", "="),
]


def mutate(uri: str, chance: random.Random) -> str:
    """Change a text at one to three places."""
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(uri) + 1)
        match chance.randrange(4):
            case 0:
                uri = uri[:place] + chance.choice(PIECES) + uri[place:]
            case 1:
                uri = uri[:place] + uri[place + 1 :]
            case 2:
                uri = uri[:place] + uri[place : place + 1].swapcase() + uri[place + 1 :]
            case _:
                other = uri[chance.randrange(len(uri) + 1) :]
                uri = uri[:place] + other
    return uri


def without_port(uri: str) -> str:
    """A loopback address without its port, spelt out independently."""
    for host in ("http://127.0.0.1", "http://[::1]", "http://localhost"):
        rest = uri.removeprefix(host)
        if rest != uri and rest.startswith(":"):
            port, slash, path = rest[1:].partition("/")
            is_port = port.isascii() and port.isdigit() and port[0] != "0" and int(port) < 65536
            return f"{host}{slash}{path}" if is_port else uri
    return uri


@pytest.mark.parametrize("is_public", [True, False])
def test_no_mutated_redirect_uri_is_accepted(is_public):
    chance = random.Random(20261127)
    known = {without_port(uri) for uri in REGISTERED}
    for _ in range(10_000):
        given = mutate(chance.choice(REGISTERED), chance)
        accepted = redirects.find_registered(REGISTERED, given, is_public=is_public)
        expected = given in REGISTERED or (
            is_public and given.startswith("http://") and without_port(given) in known
        )
        assert accepted == expected, given


@pytest.mark.parametrize("uri", REGISTERED)
def test_a_registered_redirect_uri_is_accepted(uri):
    assert redirects.fault(uri, is_public=True) is None
    assert redirects.find_registered(REGISTERED, uri, is_public=False)


@pytest.mark.parametrize(
    ("uri", "source"),
    [
        ("https://notes.example/cb", "https://notes.example"),
        ("https://notes.example:8443/cb;x", "https://notes.example:8443"),
        ("http://127.0.0.1:51004/cb", "http://127.0.0.1:51004"),
        ("http://[::1]:8000/cb", "http:"),
        ("com.example.app:/cb", "com.example.app:"),
    ],
)
def test_form_action_names_the_parsed_target_only(uri, source):
    assert redirects.form_source(uri) == source
