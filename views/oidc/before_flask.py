"""The most frequent questions of programs to the OpenID Provider, answered before Flask.

The answers are those of the views. Anything unusual falls through to the view; only the view
refuses. Every guard before these views has to let all programs pass (web/guards.py): one that does
not say that it does switches this off.
"""

import time
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from flask import Flask

from telemetry import metrics
from views.oidc.about_tokens import AboutTokens
from views.oidc.metadata import metadata
from views.oidc.published import Published
from views.oidc.ready import Answerer, Ready
from views.oidc.tokens import tokens
from views.oidc.userinfo import userinfo
from web.context import Site
from web.guards import guards_before

log = structlog.get_logger()


def install(app: Flask, site: Site) -> None:
    """Put what answers before an application, unless a guard cannot be obeyed there."""
    answered = (metadata.name, userinfo.name, tokens.name)
    guards = [guard for name in answered for guard in guards_before(name, site)]
    unable = [guard.name for guard in guards if not guard.lets_programs_pass]
    if unable:
        log.debug("answers_before_flask_off", guards=sorted(set(unable)))
        return
    answerers = Published(app, site).answerers() | AboutTokens(app, site).answerers()
    app.wsgi_app = BeforeFlask(app.wsgi_app, site, answerers)  # type: ignore[method-assign]


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
            if ready := attempt(answerer, environ):
                metrics.count_request(ready.endpoint, "2xx", time.perf_counter() - began)
                start_response("200 OK", ready.headers)
                return [ready.body]
        return self._inner(environ, start_response)


def attempt(answerer: Answerer, environ: WSGIEnvironment) -> Ready | None:
    """Return what an answerer gives. After anything unforeseen the view answers: it alone tells
    programs of a failure."""
    try:
        return answerer(environ)
    except Exception:
        structlog.contextvars.clear_contextvars()  # those of this thread's request before
        log.exception("bug")
        return None
