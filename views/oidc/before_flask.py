"""The most frequent questions of programs to the OpenID Provider, answered before Flask.

The answers are those of the views. Anything unusual falls through to the view; only the view
refuses. Every guard before these views has to let all programs pass (web/guards.py): one that does
not say that it does switches this off.
"""

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from flask import Flask

from issuer.signing_keys import EXTENSION as KEY_RING
from issuer.signing_keys import KeyRing
from telemetry import metrics
from views.oidc import metadata
from views.oidc.json_answers import ANY_ORIGIN
from web.context import Site
from web.guards import guards_before
from web.headers import public_for, security_headers

log = structlog.get_logger()

Headers = list[tuple[str, str]]


class Ready(NamedTuple):
    """An answer with status 200. ``endpoint``: the view that would give the same."""

    endpoint: str
    headers: Headers
    body: bytes


# Gives the answer to a usual request; None where the view must.
Answerer = Callable[[WSGIEnvironment], Ready | None]


def install(app: Flask, site: Site) -> None:
    """Put what answers before an application, unless one of its guards cannot be obeyed there."""
    unable = [
        guard.name
        for guard in guards_before(metadata.metadata.name, site)
        if not guard.lets_programs_pass
    ]
    if unable:
        log.debug("answers_before_flask_off", guards=unable)
        return
    app.wsgi_app = BeforeFlask(app.wsgi_app, site, Published(app, site).answerers())  # type: ignore[method-assign]


class BeforeFlask:
    """A WSGI layer around the application. ``answerers``: by path."""

    def __init__(self, inner: WSGIApplication, site: Site, answerers: dict[str, Answerer]) -> None:
        settings = site.settings
        self._inner, self._answerers = inner, answerers
        # A local server redirects requests under its other names.
        self._host = settings.host if settings.is_local else None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        answerer = self._answerers.get(path)
        if answerer is not None and self._host in (None, environ.get("HTTP_HOST")):
            began = time.perf_counter()
            if ready := answerer(environ):
                metrics.count_request(ready.endpoint, "2xx", time.perf_counter() - began)
                start_response("200 OK", ready.headers)
                return [ready.body]
        return self._inner(environ, start_response)


class Published:
    """Discovery and keys, which are the same for everybody."""

    def __init__(self, app: Flask, site: Site) -> None:
        self._keys: KeyRing = app.extensions[KEY_RING]
        self._settings = site.settings
        self._security = security_headers(site.settings.is_https)

    def answerers(self) -> dict[str, Answerer]:
        name = self._settings.base_url
        has_documents = bool(self._settings.client_document_hosts)
        configuration = metadata.write_configuration(name, has_documents)
        bodies = dict.fromkeys(metadata.CONFIGURATION, ("configuration", configuration))
        bodies |= {
            path: ("resource", metadata.write_resource(name, path)) for path in metadata.RESOURCES
        }
        return {
            metadata.JWKS: self._answer_keys,
            **{path: self._always(view, body) for path, (view, body) in bodies.items()},
        }

    def _always(self, view: str, body: bytes) -> Answerer:
        headers = self._headers(metadata.JSON, body)
        endpoint = f"{metadata.metadata.name}.{view}"
        return lambda environ: Ready(endpoint, [*headers], body) if is_plain_get(environ) else None

    def _answer_keys(self, environ: WSGIEnvironment) -> Ready | None:
        ring = self._keys.ring_if_read()
        if ring is None or not is_plain_get(environ):
            return None
        headers = self._headers(metadata.KEYS, ring.jwks)
        return Ready(f"{metadata.metadata.name}.jwks", headers, ring.jwks)

    def _headers(self, mimetype: str, body: bytes) -> Headers:
        return [
            ("Content-Type", mimetype),
            ("Content-Length", str(len(body))),
            ANY_ORIGIN,
            *self._security,
            ("Cache-Control", public_for(metadata.PUBLIC_SECONDS)),
        ]


def is_plain_get(environ: WSGIEnvironment) -> bool:
    return environ["REQUEST_METHOD"] == "GET" and not environ.get("QUERY_STRING")
