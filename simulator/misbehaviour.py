"""Ways in which a provider can go wrong, by name. The provider's page offers them; tests run
through all.

``callback:…`` spoils the redirect to the client, ``token:…`` the token endpoint, ``profile:…`` the
profile requests, ``id_token:…`` what is signed.
"""

import gzip
import json
import socket
import time
from collections.abc import Callable, Iterator

from flask import Response, request

SLOW_SECONDS = 30
DRIP_SECONDS = 1.0
DEEP_LEVELS = 100_000
HUGE_BYTES = 3 * 1024 * 1024
BOMB_BYTES = 200 * 1024 * 1024


def close_connection() -> Response:
    """Close the connection without a response."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    connection.close()
    return Response()


def wait() -> Response:
    time.sleep(SLOW_SECONDS)
    return Response("{}", mimetype="application/json")


def drip() -> Response:
    """Send a byte now and then: never silent long enough for a read timeout."""

    def body() -> Iterator[bytes]:
        for _ in range(60):
            time.sleep(DRIP_SECONDS)
            yield b" "

    return Response(body(), mimetype="application/json")


def bomb() -> Response:
    """Send a small response that unpacks to a huge one."""
    body = gzip.compress(b" " * BOMB_BYTES)
    return Response(body, mimetype="application/json", headers={"Content-Encoding": "gzip"})


def text(body: bytes | str, status: int = 200, kind: str = "application/json") -> Response:
    return Response(body, status, mimetype=kind)


ANSWERS: dict[str, Callable[[], Response]] = {
    "hang_up": close_connection,
    "slow": wait,
    "drip": drip,
    "html": lambda: text("<!doctype html><title>Sorry</title><h1>Sorry</h1>", kind="text/html"),
    "empty": lambda: text(""),
    "null": lambda: text("null"),
    "list": lambda: text("[]"),
    "number": lambda: text("42"),
    "string": lambda: text('"ok"'),
    "empty_object": lambda: text("{}"),
    "broken_utf8": lambda: text(b'{"access_token": "\xff\xfe"}'),
    "broken_json": lambda: text('{"access_token": "x"'),
    "deep": lambda: text("[" * DEEP_LEVELS + "]" * DEEP_LEVELS),
    "huge": lambda: text(json.dumps({"padding": "x" * HUGE_BYTES})),
    "bomb": bomb,
    "broken_gzip": lambda: Response(
        b"\x1f\x8bnot gzip", mimetype="application/json", headers={"Content-Encoding": "gzip"}
    ),
    "redirect": lambda: Response(status=302, headers={"Location": request.url}),
    "status_204": lambda: Response(status=204),
    "status_400": lambda: text("{}", 400),
    "status_429": lambda: text('{"error": "slow_down"}', 429),
    "rate_limited": lambda: Response(
        '{"message": "API rate limit exceeded"}',
        403,
        mimetype="application/json",
        headers={"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0"},
    ),
    "try_later": lambda: Response("{}", 403, {"Retry-After": "60"}, "application/json"),
    "firewall": lambda: text("<!doctype html><h1>Checking your browser</h1>", 403, "text/html"),
    "scope_lacks": lambda: Response(
        '{"error": "insufficient_scope"}',
        403,
        {"WWW-Authenticate": 'Bearer error="insufficient_scope"'},
        "application/json",
    ),
    "status_500": lambda: text("Internal Server Error", 500, "text/plain"),
    "status_503": lambda: text('{"message": "maintenance"}', 503),
    "error_as_200": lambda: text('{"error": "temporarily_unavailable"}'),
    "error_object": lambda: text('{"error": {"message": "Sorry", "code": 2}}', 400),
    "error_list": lambda: text('{"error": ["strange"]}'),
    "refuses_client": lambda: text('{"error": "invalid_client"}', 401),
    "token_null": lambda: text('{"access_token": null, "token_type": "bearer"}'),
    "token_number": lambda: text('{"access_token": 42, "token_type": "bearer"}'),
    "token_newline": lambda: text('{"access_token": "a\\r\\nX: y", "token_type": "bearer"}'),
    "token_mac": lambda: text('{"access_token": "x", "token_type": "mac"}'),
}

# The faults that the page offers, in words. The others are for tests.
OFFERED = {
    "": "Behaves well",
    "callback:server_error": "Comes back with an error",
    "callback:wrong_state": "Comes back to another attempt than ours",
    "callback:no_code": "Comes back without an answer",
    "token:hang_up": "Hangs up when asked for a token",
    "token:slow": "Keeps us waiting (about 8 seconds)",
    "token:html": "Answers with a web page instead of a token",
    "token:refuses_client": "Refuses our client secret",
    "profile:status_503": "Cannot tell who you are",
}
