"""Userinfo and introspection before Flask: by the same checks as the views, with the same SELECTs.

They are read without the ORM's session, and nothing is kept from one request to the next. Whatever
is not answered with what a valid token is worth is left to the view.
"""

import io
import re
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.types import WSGIEnvironment

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from accounts.admission import admission_of
from errors import TooManyAttempts
from issuer import access_tokens, client_authentication, introspection, parameters
from issuer.clients import Client
from issuer.faults import Refused
from issuer.parameters import Parameters
from storage.readers import reader_of, reading
from telemetry import metrics
from views.oidc.described import recipient
from views.oidc.json_answers import CORS, JSON, NO_CACHE, write
from views.oidc.ready import Answerer, Ready, is_plain_get
from views.oidc.tokens import FORM
from views.oidc.userinfo import BEARER, describe
from web.context import Site
from web.headers import NO_STORE, security_headers
from web.proxies import AddressReader

FORMS = (FORM, f"{FORM}; charset=utf-8", f"{FORM};charset=UTF-8")
FORM_MAX_BYTES = 4096
# Encoded forms have no others (https://url.spec.whatwg.org/#concept-urlencoded).
PLAIN_FORM = re.compile(rb"[A-Za-z0-9%+*_.~=&-]+")


class AboutTokens:
    """Answers about access tokens and refresh tokens that are valid."""

    def __init__(self, app: Flask, site: Site) -> None:
        self._app, self._limits = app, site.limits
        self._name = site.settings.base_url
        self._admission = admission_of(site.policy, site.settings)
        self._reader = reader_of(app)
        self._address_of = AddressReader(site.settings.trusted_proxies)
        self._headers = [
            ("Content-Type", JSON),
            NO_CACHE,
            *CORS,
            *security_headers(site.settings.is_https),
            NO_STORE,
        ]

    def answerers(self) -> dict[str, Answerer]:
        return {
            "/oauth2/userinfo": self._answer_userinfo,
            "/oauth2/introspect": self._answer_introspection,
        }

    def _ready(self, endpoint: str, document: dict[str, Any]) -> Ready:
        body = write(document)
        return Ready(endpoint, [*self._headers, ("Content-Length", str(len(body)))], body)

    def _answer_userinfo(self, environ: WSGIEnvironment) -> Ready | None:
        sent = BEARER.fullmatch(environ.get("HTTP_AUTHORIZATION", ""))
        if sent is None or not is_plain_get(environ):
            return None
        try:
            with self._app.app_context(), reading(self._reader):
                token = access_tokens.find(sent[1], self._admission)
                document = describe(token) if token and token.jkt is None else None
        except SQLAlchemyError:
            return None
        if document is None or isinstance(document, Refused):
            return None
        metrics.count_app("userinfo", "issued")
        return self._ready("userinfo.show", document)

    def _answer_introspection(self, environ: WSGIEnvironment) -> Ready | None:
        form = read_form(environ)
        token = form.get("token") if form else None
        # A JWT is verified by keys that may have to be read first.
        if form is None or token is None or "." in token:
            return None
        try:
            with self._app.app_context(), reading(self._reader):
                client = self._client(environ, form)
                if client is None or client.is_public:
                    return None
                document = introspection.describe(client, token, self._name, self._admission)
        except (SQLAlchemyError, TooManyAttempts):
            return None
        return self._ready("tokens.introspect", document) if document["active"] else None

    def _client(self, environ: WSGIEnvironment, form: Parameters) -> Client | None:
        """Return the client that a request authenticates by a secret; None for any other. Raises
        TooManyAttempts."""
        if form.get("client_assertion") is not None:
            return None
        address = self._address_of(environ)
        if address is None:
            return None
        credentials = client_authentication.read(environ.get("HTTP_AUTHORIZATION"), form)
        self._limits.check_app(client_authentication.named(credentials), address)
        found = client_authentication.authenticate(credentials, recipient())
        return None if isinstance(found, Refused) else found


def read_form(environ: WSGIEnvironment) -> Parameters | None:
    """Read the body of a usual POST, which stays there for the view; None for any other."""
    length = str(environ.get("CONTENT_LENGTH") or "")
    is_usual = environ["REQUEST_METHOD"] == "POST" and environ.get("CONTENT_TYPE") in FORMS
    if not is_usual or environ.get("QUERY_STRING") or "HTTP_TRANSFER_ENCODING" in environ:
        return None
    if not (length.isascii() and length.isdigit() and int(length) <= FORM_MAX_BYTES):
        return None
    body: bytes = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = io.BytesIO(body)
    if len(body) != int(length) or not PLAIN_FORM.fullmatch(body):
        return None
    form = parameters.read(parse_qsl(body.decode("ascii"), keep_blank_values=True))
    return None if form.is_repeated() or not form.are_plain() else form
