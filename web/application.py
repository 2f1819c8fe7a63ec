"""Flask, with less to do for each request: what it works out again and again, we know."""

import re
from typing import Any
from wsgiref.types import WSGIEnvironment

import flask
from flask.sessions import SecureCookieSessionInterface
from werkzeug.datastructures import Headers, ImmutableMultiDict
from werkzeug.sansio.http import parse_cookie
from werkzeug.urls import iri_to_uri
from werkzeug.utils import cached_property

# What iri_to_uri leaves as it is (RFC 3986 2).
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9%!$&'()*+,/:;=?@._~-]*")


class Request(flask.Request):
    @cached_property
    def cookies(self) -> ImmutableMultiDict[str, str]:
        """As Werkzeug's, which looks through all headers for this one."""
        header = self.environ.get("HTTP_COOKIE")
        return parse_cookie(header, cls=self.dict_storage_class)  # type: ignore[return-value]

    @cached_property
    def url(self) -> str:
        """As it was sent. Werkzeug's is decoded for people to read; Flask-Dance asks for it with
        each callback, and no more is done with it."""
        return f"{self.scheme}://{self.host}{self.root_path}{self.full_path}"


class _BrowserCookies(SecureCookieSessionInterface):
    """Flask's signed cookie; what signs it is made once. Its keys never change."""

    _serializer: Any = None

    def get_signing_serializer(self, app: flask.Flask) -> Any:
        if self._serializer is None:
            self._serializer = super().get_signing_serializer(app)
        return self._serializer


class Response(flask.Response):
    # Flask's, of its configuration, which nobody changes.
    max_cookie_size = 4093


class _Redirect(Response):
    def __init__(self, location: str, code: int) -> None:
        if not _PLAIN_ADDRESS.fullmatch(location):
            location = iri_to_uri(location)
        super().__init__(status=code, headers={"Location": location, "Content-Length": "0"})

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:  # noqa: ARG002 (Werkzeug's call)
        """As they are: Werkzeug copies them and encodes the address, whatever it holds."""
        return self.headers


class Application(flask.Flask):
    request_class = Request
    response_class = Response

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.session_interface = _BrowserCookies()

    def ensure_sync(self, func: Any) -> Any:
        """Nothing here is ``async``, so nobody need look whether it is."""
        return func

    def redirect(self, location: str, code: int = 302) -> flask.Response:
        """Without a page, which nobody sees and which would repeat what the address holds."""
        return _Redirect(location, code)
