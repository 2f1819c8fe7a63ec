"""The paths of this server: below PATH_PREFIX too, and its files below a prefix of their own.

On a host that it shares with an application, an operator gives Quickstep one prefix. Paths without
it go on working, as do the files' earlier addresses, but no page of ours links to either.
"""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Request

# Our own files; an application on the same host has ``/static`` for its own.
ASSETS = "/_quickstep"
STATIC = "/static/"
# Not below the prefix: a proxy passes that on from everywhere.
FOR_OPERATORS = ("/metrics", "/readyz")


class Paths:
    """A WSGI layer, outside all others: the application sees its own paths only."""

    def __init__(self, inner: WSGIApplication, prefix: str) -> None:
        self._inner = inner
        self._prefix = prefix

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if self._prefix:
            environ["SCRIPT_NAME"] = self._prefix  # so that every link begins with it
            path = self._without_prefix(path)
        environ["PATH_INFO"] = f"{ASSETS}{path}" if path.startswith(STATIC) else path
        return self._inner(environ, start_response)

    def _without_prefix(self, path: str) -> str:
        if path != self._prefix and not path.startswith(f"{self._prefix}/"):
            return path
        own = path.removeprefix(self._prefix) or "/"
        return path if own in FOR_OPERATORS else own


def path_of(http_request: Request) -> str:
    """Return path and query of a request, as a link to it has them."""
    return http_request.root_path + http_request.full_path.rstrip("?")
