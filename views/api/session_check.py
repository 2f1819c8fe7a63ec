"""The session check: the usual GET /api/v1/me by session cookie, answered before Flask.

An application asks this with each of its visitors' requests, so it is most of what a login server
does. One cookie, one hash, one SELECT. Nothing is cached and nothing is learned from an earlier
answer, so the first check of a browser costs what the next one does, and a session that was
revoked, or a user who was disabled, is refused immediately on every instance.

Anything unusual falls through to the view; only the view refuses. The SELECT is made of the
guards of the API (web/guards.py): one that cannot say its condition in SQL switches this off.
"""

import re
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from flask import Flask
from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy.exc import SQLAlchemyError

from access import groups
from accounts import sessions
from models import OAuth, Session, User
from storage import now
from storage.compiled import AnySelect, CompiledQuery
from storage.engine import engine_of
from telemetry import metrics
from views.api.me import Time, describe_me
from views.api.operations import JSON, write_json
from web.context import Site
from web.cookie_header import parse_cookie_header
from web.csrf import CSRF_HEADER, session_csrf
from web.guards import guards_before, predicate_of
from web.headers import NO_STORE, security_headers
from web.session_cookie import read_session_tokens

log = structlog.get_logger()

PATH = "/api/v1/me"
BLUEPRINT, ENDPOINT = "api", "api.me"
# A request with any of these is unusual.
UNUSUAL = ("HTTP_AUTHORIZATION", "HTTP_ORIGIN", "QUERY_STRING")
# The characters of our tokens. Any other value is left to the view.
PLAIN = re.compile(r"[A-Za-z0-9_.-]+")
# The response depends on these headers, as in the view and web/cors.py.
VARY = ("Vary", "Cookie, Origin")


class PersonRow(NamedTuple):
    id: str
    name: str | None
    picture: str | None
    created_at: Time
    email_choice: str | None
    role_names: str


class IdentityRow(NamedTuple):
    id: str
    provider: str
    subject: str
    email: str | None
    email_verified: bool
    suspended_at: Time | None
    linked_at: Time
    last_used_at: Time


PERSON_COLUMNS = [getattr(User, name) for name in PersonRow._fields]
IDENTITY_COLUMNS = [getattr(OAuth, name) for name in IdentityRow._fields]
# Before them: the session's id and the groups.
FIRST_PERSON_COLUMN = 2
FIRST_IDENTITY_COLUMN = FIRST_PERSON_COLUMN + len(PERSON_COLUMNS)


def install(app: Flask, site: Site) -> None:
    """Put the check before an application, unless one of its guards cannot be obeyed there."""
    guards = guards_before(BLUEPRINT, site)
    predicate = predicate_of(guards)
    if predicate is None:
        unable = [guard.name for guard in guards if guard.predicate is None]
        log.debug("session_check_off", guards=unable)
        return
    app.wsgi_app = SessionCheck(app, site, predicate)  # type: ignore[method-assign]


class SessionCheck:
    """A WSGI layer around the application."""

    def __init__(self, app: Flask, site: Site, predicate: ColumnElement[bool]) -> None:
        settings = site.settings
        self._inner: WSGIApplication = app.wsgi_app
        self._query = CompiledQuery(engine_of(app), select_person(predicate))
        self._settings = settings
        # A local server redirects requests under its other names.
        self._host = settings.host if settings.is_local else None
        self._csrf = session_csrf(app)
        self._headers = [
            ("Content-Type", JSON),
            VARY,
            *security_headers(settings.is_https),
            NO_STORE,
        ]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == PATH and (token := self._read_token(environ)):
            began = time.perf_counter()
            if answer := self._answer(token):
                body, headers = answer
                metrics.count_request(ENDPOINT, "2xx", time.perf_counter() - began)
                start_response("200 OK", [*self._headers, *headers])
                return [body]
        return self._inner(environ, start_response)

    def _read_token(self, environ: WSGIEnvironment) -> str | None:
        """Return the session cookie of a usual request, which has it once."""
        if environ["REQUEST_METHOD"] != "GET" or any(environ.get(name) for name in UNUSUAL):
            return None
        if self._host is not None and environ.get("HTTP_HOST") != self._host:
            return None
        cookies = parse_cookie_header(environ.get("HTTP_COOKIE", ""))
        _name, tokens = read_session_tokens(cookies, environ, self._settings)
        return tokens[0] if len(tokens) == 1 and PLAIN.fullmatch(tokens[0]) else None

    def _answer(self, token: str) -> tuple[bytes, list[tuple[str, str]]] | None:
        """Return the view's answer and its headers; None where the view must answer."""
        moment = now()
        try:
            rows = self._query.rows(
                token_hash=sessions.hash_token(token),
                **sessions.alive_at(moment),
                seen_after=moment - timedelta(seconds=sessions.SEEN_EVERY_SECONDS),
            )
        except (SQLAlchemyError, self._query.driver_error):
            return None
        if not rows:
            return None
        person = PersonRow(*rows[0][FIRST_PERSON_COLUMN:FIRST_IDENTITY_COLUMN])
        identities = [IdentityRow(*row[FIRST_IDENTITY_COLUMN:]) for row in rows]
        body = write_json(describe_me(person, identities, groups.split(rows[0][1])))
        value = self._csrf.value_of(rows[0][0])
        return body, [("Content-Length", str(len(body))), (CSRF_HEADER, value)]


def select_person(predicate: ColumnElement[bool]) -> AnySelect:
    """Select the session's id, its user's groups, the user and the identities, the oldest
    first."""
    return (
        select(Session.id, groups.names_of_user(), *PERSON_COLUMNS, *IDENTITY_COLUMNS)
        .select_from(Session)
        .join(User, User.id == Session.user_id)
        .join(OAuth, OAuth.user_id == User.id)
        .where(
            Session.token_hash == bindparam("token_hash"),
            predicate,
            # A session whose use is to be noted goes on to the view.
            Session.last_seen_at > bindparam("seen_after"),
        )
        .order_by(OAuth.linked_at, OAuth.id)
    )
