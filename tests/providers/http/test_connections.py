"""Connections are kept and used again; a POST is never sent twice."""

import pytest
import requests

from errors import ProviderDown, ProviderError
from tests.providers.http.peers import BROKEN, GOOD, OK, http, in_turn, post, reset, send


def test_connections_are_reused(serve, transport):
    """A TLS handshake per sign-in was the greatest cost of a stock setup."""
    peer = serve()
    for _ in range(3):
        person = requests.Session()
        person.mount("http://", transport)
        assert person.get(peer.url).json() == OK
    post(transport, peer.url)
    assert transport.get_json(peer.url) == OK
    assert (len(peer.requests), peer.connections) == (5, 1)


def test_a_get_survives_the_reset_of_a_kept_connection(serve, transport):
    """Providers close idle connections; the user must not notice."""
    peer = serve(in_turn(GOOD, reset, GOOD))
    assert transport.get_json(peer.url) == OK
    assert transport.get_json(peer.url) == OK
    assert peer.methods() == ["GET"] * 3


def test_a_get_is_tried_again_only_once(serve, transport):
    peer = serve(in_turn(GOOD, reset, reset, GOOD))
    assert transport.get_json(peer.url) == OK
    with pytest.raises(ProviderDown):
        transport.get_json(peer.url)
    assert peer.methods() == ["GET"] * 3


@pytest.mark.parametrize(
    "how",
    [
        "hangs up",
        "resets",
        "hangs up in the status line",
        "hangs up in the body",
        "is not HTTP",
        "has headers without end",
        "has chunks that are none",
        "contradicts its length",
    ],
)
@pytest.mark.parametrize("kept", [False, True], ids=["new connection", "kept connection"])
def test_a_post_is_never_sent_twice(serve, transport, how, kept):
    """The first may have arrived, and a repeated code looks stolen to the provider."""
    peer = serve()
    if kept:
        assert transport.get_json(peer.url) == OK
        peer.requests.clear()
    peer.answer = in_turn(BROKEN[how], GOOD)
    with pytest.raises(ProviderError):
        post(transport, peer.url)
    assert peer.methods() == ["POST"]


@pytest.mark.parametrize("how", ["is busy", "is away", "is broken"])
def test_a_post_is_not_repeated_when_the_provider_asks_for_it(serve, transport, how):
    peer = serve(in_turn(BROKEN[how], GOOD))
    assert post(transport, peer.url).status_code in (429, 500, 503)
    assert peer.methods() == ["POST"]


def test_a_post_opens_a_new_connection_if_the_old_one_was_closed(serve, transport):
    peer = serve(http(b"{}", "200 OK", "Connection: close"))
    transport.get_json(peer.url)
    peer.answer = GOOD
    assert post(transport, peer.url).status_code == 200
    assert peer.connections == 2


@pytest.mark.parametrize("how", ["is huge", "has chunks that are none"])
def test_a_connection_with_unread_data_is_not_reused(serve, transport, how):
    """Otherwise one user's response would begin with the rest of another's."""
    peer = serve(in_turn(BROKEN[how], GOOD))
    with pytest.raises(ProviderError):
        post(transport, peer.url)
    assert transport.get_json(peer.url) == OK
    assert peer.connections == 2


def test_an_unsolicited_response_is_discarded(serve, transport):
    """A second response after the first must not answer the next user's request."""
    forged = b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"ok": "mine"}'
    whole = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"ok": true}'
    peer = serve(send(whole + forged))
    assert [transport.get_json(peer.url) for _ in range(3)] == [OK] * 3


def test_no_cookie_is_kept_between_calls(serve, transport):
    peer = serve(http(b"{}", "200 OK", "Set-Cookie: session=of-the-first-person; Path=/"))
    for _ in range(2):
        person = requests.Session()
        person.mount("http://", transport)
        person.get(peer.url)
        transport.get_json(peer.url)
        post(transport, peer.url)
    assert len(peer.requests) == 6
    assert not any(b"cookie:" in request.lower() for request in peer.requests)
