"""The fast session check: the usual case of GET /api/v1/me by cookie, answered before Flask.

An application asks this with each of its visitors' requests, so it is most of a login server's
work. One cookie, one hash, one SELECT. Nothing about a person is cached, so a revoked session or a
disabled person is refused immediately, on every instance.

Anything unusual falls through to the view; only the view refuses: a session that is expired or
whose use must be noted, two cookies of one name, a bearer token, another origin, a query. The
view's response is the model for this one: its headers are reused and, for each browser, its CSRF
token, which is valid as long as the signed cookie it was made from.
"""

import re
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask
from pydantic import TypeAdapter
from sqlalchemy import Engine, bindparam, select
from sqlalchemy.exc import SQLAlchemyError

from accounts import sessions
from models import OAuth, Session, User, address_of
from storage import now
from storage.compiled import CompiledQuery
from telemetry import metrics
from views.api.schemas import iso

PATH = "/api/v1/me"
CSRF_HEADER = "X-CSRF-Token"
# A request with any of these is unusual.
UNUSUAL = ("HTTP_AUTHORIZATION", "HTTP_ORIGIN", "QUERY_STRING")
# The characters of our cookies and Flask's; the view handles any others.
PLAIN = re.compile(r"[A-Za-z0-9_.-]+")
# The number of browsers whose CSRF token is kept, and for how long.
MAX_BROWSERS = 8192
KEPT_SECONDS = 3600

_WHO = (
    select(
        User.id,
        User.name,
        User.picture,
        User.created_at,
        User.email_choice,
        OAuth.id,
        OAuth.provider,
        OAuth.subject,
        OAuth.email,
        OAuth.email_verified,
        OAuth.linked_at,
        OAuth.last_used_at,
    )
    .select_from(Session)
    .join(User, User.id == Session.user_id)
    .join(OAuth, OAuth.user_id == User.id)
    .where(
        Session.token_hash == bindparam("token_hash"),
        sessions.LETS_IN,
        # A session whose use must be noted falls through to the view.
        Session.last_seen_at > bindparam("seen_after"),
    )
    .order_by(OAuth.linked_at, OAuth.id)
)
_PERSON_COLUMNS = 5
# Writes JSON as the models of views/shapes.py do.
_JSON = TypeAdapter(dict[str, Any])


class _Identity(NamedTuple):
    id: str
    provider: str
    subject: str
    email: str | None
    email_verified: bool
    linked_at: Any
    last_used_at: Any


class SessionCheck:
    """A WSGI layer around the application."""

    def __init__(self, app: Flask, engine: Engine, session_cookie: str, host: str | None) -> None:
        """``host``: the only name that is answered, for a server that redirects others."""
        self._inner: WSGIApplication = app.wsgi_app
        self._query = CompiledQuery(engine, _WHO)
        self._session_cookie = session_cookie
        self._browser_cookie = app.config["SESSION_COOKIE_NAME"]
        self._host = host
        self._headers: list[tuple[str, str]] | None = None
        self._csrf_tokens: dict[str, tuple[str, float]] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != PATH:
            return self._inner(environ, start_response)
        cookies = self._cookies(environ)
        if cookies is None:
            return self._inner(environ, start_response)
        session_token, browser = cookies
        csrf_token, until = self._csrf_tokens.get(browser, ("", 0.0))
        if self._headers is None or until < time.monotonic():
            return self._inner(environ, self._learn(browser, start_response))
        began = time.perf_counter()
        body = self._answer(session_token)
        if body is None:
            return self._inner(environ, start_response)
        metrics.count_request("api.me", "2xx", time.perf_counter() - began)
        own = [("Content-Length", str(len(body))), (CSRF_HEADER, csrf_token)]
        start_response("200 OK", [*self._headers, *own])
        return [body]

    def _cookies(self, environ: WSGIEnvironment) -> tuple[str, str] | None:
        """Return the session cookie and Flask's, if each is present exactly once and
        well-formed."""
        if environ["REQUEST_METHOD"] != "GET" or any(environ.get(name) for name in UNUSUAL):
            return None
        if self._host is not None and environ.get("HTTP_HOST") != self._host:
            return None
        found: dict[str, str] = {}
        for part in environ.get("HTTP_COOKIE", "").split(";"):
            name, _, value = part.strip(" \t").partition("=")
            if name in (self._session_cookie, self._browser_cookie):
                if name in found or not PLAIN.fullmatch(value):
                    return None
                found[name] = value
        if len(found) != 2:
            return None
        return found[self._session_cookie], found[self._browser_cookie]

    def _learn(self, browser: str, start_response: StartResponse) -> StartResponse:
        """Pass the view's response on, and remember how to answer this browser."""

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            values = {name.lower(): value for name, value in headers}
            token = values.get(CSRF_HEADER.lower())
            # A browser that is given a cookie will send another one next time.
            if status.startswith("200 ") and token and "set-cookie" not in values:
                left_out = ("content-length", CSRF_HEADER.lower())
                self._headers = [pair for pair in headers if pair[0].lower() not in left_out]
                if len(self._csrf_tokens) >= MAX_BROWSERS:
                    self._csrf_tokens.clear()
                self._csrf_tokens[browser] = token, time.monotonic() + KEPT_SECONDS
            return start_response(status, headers, *rest)

        return start

    def _answer(self, session_token: str) -> bytes | None:
        """Build the response of the view in routes.py; None if the view must decide."""
        moment = now()
        try:
            rows = self._query.rows(
                token_hash=sessions.hash_token(session_token),
                seen_after=moment - timedelta(seconds=sessions.SEEN_EVERY_SECONDS),
                **sessions.alive_at(moment),
            )
        except (SQLAlchemyError, self._query.driver_error):
            return None
        if not rows:
            return None
        user_id, name, picture, created_at, choice = rows[0][:_PERSON_COLUMNS]
        identities = [_Identity(*row[_PERSON_COLUMNS:]) for row in rows]
        address = address_of(identities, choice)
        return _JSON.dump_json(
            {
                "id": user_id,
                "name": name,
                "email": address.email if address else None,
                "email_verified": bool(address and address.email_verified),
                "picture": picture,
                "created_at": _iso(created_at),
                "identities": [
                    {
                        "id": row.id,
                        "provider": row.provider,
                        "subject": row.subject,
                        "email": row.email,
                        "email_verified": bool(row.email_verified),
                        "linked_at": _iso(row.linked_at),
                        "last_used_at": _iso(row.last_used_at),
                    }
                    for row in identities
                ],
            }
        )


def _iso(value: str | datetime) -> str:
    """Format a time as the API does, from the driver's value: SQLite's is a text in UTC."""
    return f"{value[:10]}T{value[11:19]}Z" if isinstance(value, str) else iso(value)
