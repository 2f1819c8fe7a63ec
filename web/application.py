"""Flask with less work per request: values that never change are computed once."""

import re
from typing import IO, Any, cast
from wsgiref.types import WSGIEnvironment

import flask
from flask.sessions import SecureCookieSessionInterface
from werkzeug.datastructures import Headers, ImmutableMultiDict
from werkzeug.sansio.http import parse_cookie
from werkzeug.urls import iri_to_uri
from werkzeug.utils import cached_property

from web.body_stream import BodyStream

# The characters that iri_to_uri leaves unchanged (RFC 3986 2).
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9%!$&'()*+,/:;=?@._~-]*")


class Request(flask.Request):
    @cached_property
    def cookies(self) -> ImmutableMultiDict[str, str]:
        """Return the cookies, as Werkzeug does, which searches all headers for this one."""
        header = self.environ.get("HTTP_COOKIE")
        return parse_cookie(header, cls=self.dict_storage_class)  # type: ignore[return-value]

    @cached_property
    def stream(self) -> IO[bytes]:
        """Return the body, which is refused where it is longer than max_content_length."""
        limit = self.max_content_length
        is_chunked = self.content_length is None and self.environ.get("wsgi.input_terminated")
        if is_chunked and limit is not None:
            return cast(IO[bytes], BodyStream(self.environ["wsgi.input"], limit, is_max=True))
        return super().stream

    @cached_property
    def url(self) -> str:
        """Return the URL as it was sent. Werkzeug decodes it for display; Flask-Dance reads it at
        each callback and only passes it on."""
        return f"{self.scheme}://{self.host}{self.root_path}{self.full_path}"


class _BrowserCookies(SecureCookieSessionInterface):
    """Flask's signed cookie, with a serializer that is created once. Its keys never change."""

    _serializer: Any = None

    def get_signing_serializer(self, app: flask.Flask) -> Any:
        if self._serializer is None:
            self._serializer = super().get_signing_serializer(app)
        return self._serializer


class Response(flask.Response):
    # From Flask's configuration, which does not change after the start.
    max_cookie_size = 4093


class _Redirect(Response):
    def __init__(self, location: str, code: int) -> None:
        if not _PLAIN_ADDRESS.fullmatch(location):
            location = iri_to_uri(location)
        super().__init__(status=code, headers={"Location": location, "Content-Length": "0"})

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:  # noqa: ARG002 (Werkzeug's call)
        """Return the headers unchanged: Werkzeug copies them and always encodes the Location."""
        return self.headers


class Application(flask.Flask):
    request_class = Request
    response_class = Response

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.session_interface = _BrowserCookies()

    def ensure_sync(self, func: Any) -> Any:
        """Return the view unchanged: none of ours is ``async``."""
        return func

    def redirect(self, location: str, code: int = 302) -> flask.Response:
        """Redirect without a page: nobody sees it, and it would repeat the address."""
        return _Redirect(location, code)
