"""Flask with less work per request: values that never change are computed once."""

import re
from collections.abc import Callable, Iterable
from typing import IO, Any, cast
from wsgiref.types import StartResponse, WSGIEnvironment

import flask
import werkzeug
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadSignature
from werkzeug.datastructures import Headers, ImmutableMultiDict
from werkzeug.routing import Map, Rule
from werkzeug.urls import iri_to_uri
from werkzeug.utils import cached_property

from web.body_stream import BodyStream
from web.cookie_header import parse_cookie_header
from web.paths import ASSETS

# The characters that iri_to_uri leaves unchanged (RFC 3986 2).
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9%!$&'()*+,/:;=?@._~-]*")


# RFC 9110 7.2, RFC 3986 3.2.2: a name or an address, not empty, and a port.
_HOST = re.compile(r"([A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]*)?")
NO_HOST = werkzeug.Response(
    "This request has no valid Host header (RFC 9112 3.2).\n",
    400,
    {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
    mimetype="text/plain",
)


def names_host(environ: WSGIEnvironment) -> bool:
    """Whether a request has a valid Host header, or is of a version that needs none."""
    host = environ.get("HTTP_HOST")
    if host is None:
        return environ.get("SERVER_PROTOCOL") in ("HTTP/1.0", "HTTP/0.9")
    return _HOST.fullmatch(host) is not None


class Request(flask.Request):
    @cached_property
    def cookies(self) -> ImmutableMultiDict[str, str]:
        """Return the cookies as our one parser reads them."""
        return ImmutableMultiDict(parse_cookie_header(self.environ.get("HTTP_COOKIE", "")))

    @cached_property
    def stream(self) -> IO[bytes]:
        """Return the body, which is refused where it is longer than max_content_length."""
        limit, environ = self.max_content_length, self.environ
        is_chunked = self.content_length is None and environ.get("wsgi.input_terminated")
        if is_chunked and limit is not None:
            stream = cast(IO[bytes], environ.get("wsgi.input"))
            return cast(IO[bytes], BodyStream(stream, limit, is_max=True))
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

    def open_session(self, app: flask.Flask, request: flask.Request) -> Any:
        """Open the one cookie of its name that we signed. Two different ones count as none: a
        neighbouring host has planted the one that we gave it."""
        values = set(request.cookies.getlist(self.get_cookie_name(app)))
        if len(values) < 2:
            return super().open_session(app, request)
        found = [opened for value in values if (opened := self._open(app, value)) is not None]
        return self.session_class(found[0] if len(found) == 1 else None)

    def _open(self, app: flask.Flask, value: str) -> Any:
        max_age = int(app.permanent_session_lifetime.total_seconds())
        try:
            return self.get_signing_serializer(app).loads(value, max_age=max_age)
        except BadSignature:
            return None


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


class _Routes(Map):
    """Our routes, each under one address. Werkzeug would redirect others to it, and build the
    redirect from the Host header."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "merge_slashes": False})


class _Route(Rule):
    """A route that is compiled for ``url_for`` at its first use. Werkzeug compiles all of them when
    they are registered, which took two thirds of ``create_app``."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled: list[Callable[..., tuple[str, str]]] = []

        def build(route: Rule, **values: Any) -> tuple[str, str]:
            if not compiled:
                compiled.append(compile_now(append_unknown))
            return compiled[0](route, **values)

        compile_now = super()._compile_builder
        return build


class Application(flask.Flask):
    url_map_class = _Routes
    url_rule_class = _Route
    request_class = Request
    response_class = Response

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("static_url_path", f"{ASSETS}/static")
        super().__init__(*args, **kwargs)
        self.session_interface = _BrowserCookies()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, unless it names no host: before anything else, so that nobody who
        answers before Flask has to think of it."""
        if not names_host(environ):
            return NO_HOST(environ, start_response)
        return super().__call__(environ, start_response)

    def ensure_sync(self, func: Any) -> Any:
        """Return the view unchanged: none of ours is ``async``."""
        return func

    def redirect(self, location: str, code: int = 302) -> flask.Response:
        """Redirect without a page: nobody sees it, and it would repeat the address."""
        return _Redirect(location, code)
