"""Every response is a value or a ProviderError, and never too large."""

import json
import socket
import tracemalloc
import zlib

import pytest
import requests

from errors import ProviderBusy, ProviderDown, ProviderError
from providers.base import NotShared
from providers.http.responses import read_json
from providers.http.transport import ANSWER_MAX_BYTES
from tests.providers.http.peers import BROKEN, GOOD, OK, http, send


@pytest.mark.parametrize("how", BROKEN)
def test_any_broken_response_is_a_provider_error(serve, transport, how):
    peer = serve(BROKEN[how])
    with pytest.raises(ProviderError) as caught:
        transport.get_json(peer.url)
    assert not isinstance(caught.value, NotShared)
    assert caught.value.status == 502
    peer.answer = GOOD
    assert transport.get_json(peer.url) == OK, "the next call suffers from this one"


REDIRECTS_NOWHERE = [b"http://[", b"http://[\xff", b"http://\xff\xfe/", b"//", b"http://a:99999/"]


def test_any_broken_response_ends_in_an_error_page(make_site, serve, monkeypatch):
    """The same broken responses on the way from the button to the account."""
    # This many failures in a row would open the breaker (test_breaker.py).
    monkeypatch.setattr("providers.http.breaker.FAILURES_IN_A_ROW", 1000)
    peer = serve()
    browser = make_site(FACEBOOK_API_URL=peer.url).browser()
    redirects = {
        f"redirects to {target!r}": send(
            b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + target + b"\r\n\r\n"
        )
        for target in REDIRECTS_NOWHERE
    }
    for how, answer in (BROKEN | redirects).items():
        peer.answer = answer
        page = browser.sign_in("facebook", "ada")
        assert (page.status, page.path) == (502, "/login"), how
        assert page.alert.startswith("Facebook "), how
        assert "Continue with Facebook" in page.buttons or "Try again" in page.buttons[0], how
    peer.answer = http(b'{"id": "7", "name": "Ada"}')
    assert browser.sign_in("facebook", "ada").path == "/account"


@pytest.mark.parametrize("status", ["403 Forbidden", "404 Not Found"])
def test_a_403_or_404_of_a_provider_means_not_shared(serve, transport, status):
    with pytest.raises(NotShared):
        transport.get_json(serve(http(b"{}", status)).url)


PASSING = {
    "429": http(b"{}", "429 Too Many Requests"),
    "408": http(b"{}", "408 Request Timeout"),
    "500": http(b"{}", "500 Oops"),
    "Retry-After": http(b"{}", "403 Forbidden", "Retry-After: 60"),
    "404 with Retry-After": http(b"{}", "404 Not Found", "retry-after: 60"),
    "GitHub": http(b"{}", "403 Forbidden", "x-ratelimit-remaining: 0"),
    "X": http(b"{}", "403 Forbidden", "X-Rate-Limit-Remaining: 0"),
    "IETF": http(b"{}", "403 Forbidden", "RateLimit-Remaining: 0"),
    "GitHub secondary": http(
        b'{"message": "You have exceeded a secondary rate limit."}', "403 Forbidden"
    ),
    "Google": http(b'{"error": {"errors": [{"reason": "rateLimitExceeded"}]}}', "403 Forbidden"),
    "Google quota": http(b'{"error": {"status": "RESOURCE_EXHAUSTED"}}', "403 Forbidden"),
}


@pytest.mark.parametrize("how", PASSING)
def test_a_failure_that_passes_does_not_mean_not_shared(serve, transport, how):
    with pytest.raises(ProviderBusy) as caught:
        transport.get_json(serve(PASSING[how]).url)
    assert (caught.value.code, caught.value.status) == ("provider_down", 502)


REFUSED = {
    "401": http(b"{}", "401 Unauthorized"),
    "a firewall": http(b"<h1>Access denied</h1>", "403 Forbidden", "Content-Type: text/html"),
    "a proxy": http(b"<h1>Not found</h1>", "404 Not Found", "Content-Type: text/html"),
}


@pytest.mark.parametrize("how", REFUSED)
def test_any_other_refusal_does_not_mean_not_shared(serve, transport, how):
    with pytest.raises(ProviderError) as caught:
        transport.get_json(serve(REFUSED[how]).url)
    assert not isinstance(caught.value, NotShared)


TEXT = '{"sub": "1", "email": "é"}'
LENIENT = {
    **{
        name: TEXT.encode(name)
        for name in ("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1")
    },
    "NaN": b'{"sub": "1", "exp": NaN}',
    "Infinity": b'{"sub": "1", "expires_in": Infinity}',
    "a huge number": b'{"sub": "1", "expires_in": 1e999}',
    "two members": b'{"sub": "1", "sub": "2"}',
    "two nested members": b'{"a": {"verified": false, "verified": true}}',
    "two values": b"{} {}",
    "a comma too many": b'{"sub": "1",}',
}


@pytest.mark.parametrize("how", LENIENT)
def test_json_that_readers_understand_differently_is_no_answer(serve, transport, how):
    """RFC 8259 4, 6, 8.1: one proxy or log reads one value, and we another."""
    with pytest.raises(ProviderError, match="without JSON"):
        transport.get_json(serve(http(LENIENT[how])).url)


def test_a_byte_order_mark_is_refused_even_if_utf_8_is_declared(serve, transport):
    kind = "Content-Type: application/json; charset=utf-8"
    with pytest.raises(ProviderError, match="without JSON"):
        transport.get_json(serve(http(TEXT.encode("utf-8-sig"), "200 OK", kind)).url)


def test_strict_json_is_read_as_it_is(serve, transport):
    assert transport.get_json(serve(http(f" {TEXT}\n".encode())).url) == {"sub": "1", "email": "é"}


@pytest.mark.parametrize("how", ["is busy", "is away"])
def test_retry_after_of_a_provider_causes_no_immediate_retry(serve, transport, how):
    """Retry-After is not waited for, and does not hide the provider's error."""
    peer = serve(BROKEN[how])
    with pytest.raises(ProviderError, match=r"answered (429|503)") as caught:
        transport.get_json(peer.url)
    assert not isinstance(caught.value, ProviderDown)
    assert peer.methods() == ["GET"]


@pytest.mark.parametrize("status", ["301", "302", "303", "307", "308"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_redirect_is_followed(serve, transport, method, status):
    """A redirected token request would carry code and secret elsewhere."""
    elsewhere = serve()
    peer = serve(http(b"{}", f"{status} Moved", f"Location: {elsewhere.url}"))
    response = transport.send(requests.Request(method, peer.url).prepare())
    assert response.status_code == int(status)
    with pytest.raises(ProviderError):
        read_json(response)
    assert len(peer.requests) == 1
    assert elsewhere.requests == []


def test_a_response_over_a_megabyte_is_refused(serve, transport):
    peer = serve(http(b'"' + b"x" * (ANSWER_MAX_BYTES - 2) + b'"'))
    assert len(transport.get_json(peer.url)) == ANSWER_MAX_BYTES - 2
    peer.answer = http(b'"' + b"x" * (ANSWER_MAX_BYTES - 1) + b'"')
    with pytest.raises(ProviderError, match="more than a megabyte"):
        transport.get_json(peer.url)


def test_an_endless_body_is_cut_off(serve, transport):
    sent = []

    def pour(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(1000):
            connection.sendall(b" " * 65536)
            sent.append(65536)

    with pytest.raises(ProviderError, match="more than a megabyte"):
        transport.get_json(serve(pour).url)
    assert sum(sent) < 20 * 1024 * 1024


def squeezed(encoding: str) -> bytes:
    """Two hundred megabytes of spaces, compressed."""
    nothing = b" " * (1024 * 1024)
    packer = zlib.compressobj(9, wbits=31 if encoding == "gzip" else 15)
    return b"".join(packer.compress(nothing) for _ in range(200)) + packer.flush()


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compression_bomb_is_not_unpacked(serve, transport, encoding):
    peer = serve(http(squeezed(encoding), "200 OK", f"Content-Encoding: {encoding}"))
    tracemalloc.start()
    try:
        with pytest.raises(ProviderError, match="more than a megabyte"):
            transport.get_json(peer.url)
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 16 * 1024 * 1024


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "203 Non-Authoritative Information"])
def test_any_success_with_json_is_read(serve, transport, status):
    assert transport.get_json(serve(http(b'{"ok": true}', status)).url) == OK


NAME = "Zoë Łé 김"


@pytest.mark.parametrize(
    ("declared", "written"),
    [
        *(("", "utf-8"), ("charset=utf-8", "utf-8"), ("charset=rot13", "utf-8")),
        *(('charset="UTF-16LE"', "utf-16-le"), ("charset=utf-16", "utf-16")),
        *(("charset=gb18030", "gb18030"), ("charset=unicode_escape", "utf-8")),
        # Declared wrongly: a charset of one byte would read anything.
        *(("charset=iso-8859-1", "utf-8"), ("charset=us-ascii", "utf-8")),
    ],
)
def test_a_body_is_read_in_the_charset_that_it_declares(serve, transport, declared, written):
    body = json.dumps({"name": NAME}, ensure_ascii=False).encode(written)
    peer = serve(http(body, "200 OK", f"Content-Type: application/json; {declared}; x=y"))
    assert transport.get_json(peer.url) == {"name": NAME}


@pytest.mark.parametrize(
    ("declared", "name"),
    [("ISO-8859-1", "Zoë"), ("iso-8859-2", "Łukasz"), ("windows-1252", "“Zoë”"), ("EUC-KR", "김")],
)
def test_a_declared_charset_of_its_country_is_honoured(serve, transport, declared, name):
    body = json.dumps({"name": name}, ensure_ascii=False).encode(declared)
    peer = serve(http(body, "200 OK", f"Content-Type: text/json;charset={declared}"))
    assert transport.get_json(peer.url) == {"name": name}


INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
FINAL = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"ok": true}'


@pytest.mark.parametrize("before", [INTERIM, CONTINUE + INTERIM, INTERIM * 5, CONTINUE])
def test_interim_responses_are_passed_over(serve, transport, before):
    peer = serve(send(before + FINAL))
    assert [transport.get_json(peer.url) for _ in range(2)] == [OK, OK]
    assert peer.connections == 1, "what was left of an answer spoilt the connection"


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + FINAL, INTERIM],
    ids=["another protocol", "nothing after it"],
)
def test_a_response_that_never_comes_to_the_point_is_an_error(serve, transport, answer):
    with pytest.raises(ProviderError):
        transport.get_json(serve(send(answer, close=True)).url)
