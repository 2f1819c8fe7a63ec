"""The gate check: the usual question of a proxy, answered before Flask.

A proxy asks it with each request to an application behind it. One cookie, one hash, one SELECT; the
rules of the gate are asked each time. Anything else falls through to the view, which alone refuses.
The SELECT is made of the guards of its blueprint, as that of views/api/session_check.py is.
"""

import re
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, current_app
from sqlalchemy import and_, true
from sqlalchemy.exc import SQLAlchemyError

from accounts.admission import Admission, admission_of
from accounts.entry import is_in_by
from gates import asked
from gates.asked import Asked
from gates.flows import CODE_NAME
from gates.identity_headers import ALGORITHM, TOKEN_TYPE, Assertions, identity_headers
from gates.visitors import Visitor, Visitors
from issuer.signing_keys import EXTENSION as KEYS
from issuer.signing_keys import KeyRing, key_ring
from storage.engine import engine_of
from telemetry import metrics
from views.gate.own_host import OwnHost
from web.context import Site
from web.cookie_header import parse_cookie_header
from web.guards import guards_before, predicate_of
from web.headers import NO_STORE

BLUEPRINT, ENDPOINT = "forward_auth", "forward_auth.check"
PATH = "/forward-auth"
# In the WSGI environment: the question of a proxy, for the view.
QUESTION = "quickstep.question"
EXTENSION = "gate_desk"
# Paths on the gated hosts that are ours.
OWN_PATHS = "/.quickstep/"
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Question:
    """The question of a proxy.

    ``name``: the gate, as the operator wrote it into the proxy's settings; empty: any. ``asked``:
    None if that is unclear. ``token``: the cookie of the gated host; None if there is none, or
    several. ``session_token``: the same for the session cookie, at an application on our own host;
    ``is_on_own_host`` says whether it is one.
    """

    name: str
    asked: Asked | None
    token: str | None
    is_on_own_host: bool = False
    session_token: str | None = None


class Desk:
    """Answers questions by visitors, rules and assertions."""

    def __init__(self, app: Flask, site: Site) -> None:
        predicates = [guard.predicate for guard in guards_before(BLUEPRINT, site)]
        known = [each for each in predicates if each is not None]
        self._policy = site.policy
        with_facts = site.policy.access is not None
        self._visitors = Visitors(engine_of(app), and_(true(), *known), with_facts=with_facts)
        self._admission: Admission = admission_of(site.policy, site.settings)
        self._assertions = Assertions(site.settings.base_url)

    def find(self, question: Question, *, is_seen: bool) -> Visitor | None:
        """Return who asks, if their cookie is of this gate and origin. Raises SQLAlchemyError."""
        if question.asked is None:
            return None
        here, origin = question.session_token, question.asked.origin
        if here and (found := self._visitors.find_on_own_host(here, origin, is_seen=is_seen)):
            return found
        if question.token is None:
            return None
        visitor = self._visitors.find(question.token, origin, is_seen=is_seen)
        return visitor if visitor and question.name in ("", visitor.gate) else None

    def admits(self, visitor: Visitor) -> bool:
        """Return whether the rules of the gate, and the site's own, admit a visitor now."""
        return self._admission.admits(visitor, visitor.user_id)

    def admits_surely(self, visitor: Visitor) -> bool:
        """Return whether they do by what was read with the visitor: without the database."""
        those = {each.id: each for each in visitor.identities}
        return is_in_by(those, visitor.facts, self._policy) and self._admission.admits_person(
            visitor,
            visitor.user_id,
            visitor.identities,
            visitor.group_names,
            visitor.role_names,
        )

    def headers(self, visitor: Visitor, origin: str, keys: KeyRing) -> list[tuple[str, str]] | None:
        """Return the identity headers; None if the signing keys must be read first."""
        assertion = self._assertions.of(
            visitor, origin, lambda claims: keys.sign_if_read(ALGORITHM, claims, TOKEN_TYPE)
        )
        return None if assertion is None else identity_headers(visitor, assertion)

    def headers_always(self, visitor: Visitor, origin: str) -> list[tuple[str, str]]:
        """Return the identity headers, and read the signing keys. Raises KeyUnreadable."""

        def sign(claims: dict[str, Any]) -> str:
            return key_ring().sign(ALGORITHM, claims, TOKEN_TYPE)

        return identity_headers(visitor, self._assertions.of(visitor, origin, sign) or "")


def desk() -> Desk:
    return cast(Desk, current_app.extensions[EXTENSION])


def install(app: Flask, site: Site) -> None:
    """Put the check before an application. It lets every question pass on to the view if one of the
    guards cannot be obeyed here."""
    answering = app.extensions[EXTENSION] = Desk(app, site)
    is_fast = predicate_of(guards_before(BLUEPRINT, site)) is not None
    app.wsgi_app = GateCheck(app, answering, OwnHost(site.settings), is_fast=is_fast)  # type: ignore[method-assign]


class GateCheck:
    """A WSGI layer around the application."""

    def __init__(self, app: Flask, answering: Desk, own_host: OwnHost, *, is_fast: bool) -> None:
        self._inner: WSGIApplication = app.wsgi_app
        self._desk, self._is_fast = answering, is_fast
        self._keys: KeyRing = app.extensions[KEYS]
        self._own_host = own_host

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith(PATH) and path[len(PATH) : len(PATH) + 1] in ("", "/"):
            began = time.perf_counter()
            question = read_question(environ, path, self._own_host)
            if self._is_fast and (headers := self._answer(question)):
                metrics.count_request(ENDPOINT, "2xx", time.perf_counter() - began)
                start_response("200 OK", headers)
                return [b""]
            # The method and the path behind the name are those of the application, and so is a
            # WebSocket, for which no view of ours would be found.
            environ.pop("HTTP_UPGRADE", None)
            environ |= {"REQUEST_METHOD": "GET", "PATH_INFO": PATH, QUESTION: question}
        return self._inner(environ, start_response)

    def _answer(self, question: Question) -> list[tuple[str, str]] | None:
        """Return the headers of the view's answer; None where the view must answer."""
        wanted = question.asked
        if wanted is None or CODE_NAME in wanted.target or wanted.target.startswith(OWN_PATHS):
            return None
        try:
            visitor = self._desk.find(question, is_seen=True)
        except SQLAlchemyError:
            return None
        if visitor is None or not self._desk.admits_surely(visitor):
            return None
        about = self._desk.headers(visitor, wanted.origin, self._keys)
        if about is None:
            return None
        metrics.count_gate(visitor.gate, "passed")
        return [("Content-Length", "0"), NO_STORE, *about]


def read_question(environ: WSGIEnvironment, path: str, own_host: OwnHost) -> Question:
    """Read what a proxy asks."""
    name = path[len(PATH) + 1 :].partition("/")[0]
    wanted = asked.read(environ, environ["REQUEST_METHOD"], _rest(environ, name))
    if wanted is None:
        return Question(name, None, None)
    cookies = parse_cookie_header(environ.get("HTTP_COOKIE", ""))
    values = {value for cookie, value in cookies if cookie == cookie_name_at(wanted.origin)}
    token = _only(values)
    if name or not own_host.is_at(wanted.origin):
        return Question(name, wanted, token)
    session_token = _only(own_host.session_tokens(cookies, environ))
    return Question(name, wanted, token, is_on_own_host=True, session_token=session_token)


def _only(tokens: Collection[str]) -> str | None:
    """Return the only one, if it can be a token of ours."""
    token = next(iter(tokens)) if len(tokens) == 1 else ""
    return token if TOKEN.fullmatch(token) else None


def _rest(environ: WSGIEnvironment, name: str) -> str:
    """Return what follows the name of a gate in the address, as it was sent (Envoy)."""
    if not name or asked.ORIGINAL_URL in environ or asked.URI in environ:
        return ""
    sent = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or "")
    rest = sent.partition(f"{PATH}/{name}")[2]
    return rest if rest.startswith("/") else f"/{rest}"


def cookie_name_at(origin: str) -> str:
    """Return the name of the cookie of a gated host; over https no other host can plant it."""
    return "__Host-gate" if origin.startswith("https:") else "gate"
