"""A body that drips in holds no connection to the database while it is awaited."""

import io
import threading
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, event
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from storage.engine import engine_of
from tests.site import Site

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
BODIES = {
    "application/x-www-form-urlencoded": b"csrf_token=wrong&name=x",
    "application/json": b'{"name": "x"}',
    "application/jwt": b"e30.e30.x",
}


class Hands:
    """The connections that this thread has taken and not returned."""

    def __init__(self, engine: Engine) -> None:
        self.held: set[int] = set()
        self._thread = threading.get_ident()
        event.listen(engine, "checkout", self._take)
        event.listen(engine, "checkin", self._return)

    def _take(self, _connection: Any, record: Any, _proxy: Any) -> None:
        if threading.get_ident() == self._thread:
            self.held.add(id(record))

    def _return(self, _connection: Any, record: Any) -> None:
        self.held.discard(id(record))


class Drip(io.RawIOBase):
    """A body that notes, at each read, how many connections its reader holds."""

    def __init__(self, body: bytes, hands: Hands) -> None:
        self._body, self._hands = io.BytesIO(body), hands
        self.held: list[int] = []

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.held.append(len(self._hands.held))
        piece = self._body.read(min(len(buffer), 4))
        buffer[: len(piece)] = piece
        return len(piece)


def requests_with_bodies(site: Site) -> Iterator[tuple[str, str, str, bytes]]:
    """Each operation that takes a body, with every kind of body."""
    for rule in site.app.url_map.iter_rules():
        for method in sorted(UNSAFE & (rule.methods or set())):
            arguments = dict.fromkeys(rule.arguments, "0" * 32)
            with site.app.test_request_context():
                path = site.app.url_map.bind("localhost").build(rule.endpoint, arguments, method)
            for media_type, body in BODIES.items():
                yield method, path, media_type, body


def test_no_operation_awaits_a_body_with_a_connection_in_its_hands(browser, site):
    browser.sign_in("google", "grace")
    csrf = browser.fetch("/api/v1/me").headers["X-CSRF-Token"]
    cookies = "; ".join(f"{each.name}={each.value}" for each in browser.http.cookies)
    hands = Hands(engine_of(site.app))
    read = 0
    for method, path, media_type, body in requests_with_bodies(site):
        for headers in ({}, {"Cookie": cookies, "X-CSRF-Token": csrf}):
            drip = Drip(body, hands)
            builder = EnvironBuilder(path, site.url, method=method, headers=Headers(headers))
            environ = builder.get_environ() | {
                "wsgi.input": drip,
                "CONTENT_LENGTH": str(len(body)),
                "CONTENT_TYPE": media_type,
            }
            answer = site.app.wsgi_app(environ, lambda *_args: lambda _data: None)
            list(answer)
            answer.close()
            assert not any(drip.held), f"{method} {path} with {media_type}"
            read += bool(drip.held)
    assert read > len(BODIES), "some bodies were read at all"
