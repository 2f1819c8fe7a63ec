"""CSRF protection: forms carry a token of Flask's signed cookie; the API has a value of its own.

The API's value is derived from the session's id with the app's key, so a client that keeps the
session cookie alone can write. Pages of other sites can neither read it (CORS) nor send the
header without being asked first.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from typing import cast

from flask import Flask, current_app, request
from flask_wtf.csrf import CSRFProtect, validate_csrf
from wtforms import ValidationError

from errors import CSRFFailed
from web.authentication import current_session
from web.request_info import SAFE_METHODS

CSRF_HEADER = "X-CSRF-Token"
# In Flask's signed cookie, under Flask-WTF's name: what the tokens of forms are made of.
FORM_SECRET = "csrf_token"  # noqa: S105 (its name)
EXTENSION = "session_csrf"
PURPOSE = b"quickstep: CSRF value of a session"

csrf = CSRFProtect()


class SessionCSRF:
    """Derives a session's CSRF value with the first key; accepts those of all keys."""

    def __init__(self, secret_keys: Iterable[str], purpose: bytes = PURPOSE) -> None:
        self._keys = [hmac.digest(key.encode(), purpose, "sha256") for key in secret_keys]

    def value_of(self, session_id: str) -> str:
        return self._derive(self._keys[0], session_id)

    def is_value_of(self, session_id: str, value: str) -> bool:
        sent = value.encode()
        return any(
            hmac.compare_digest(self._derive(key, session_id).encode(), sent) for key in self._keys
        )

    @staticmethod
    def _derive(key: bytes, session_id: str) -> str:
        digest = hmac.digest(key, session_id.encode(), "sha256")
        return urlsafe_b64encode(digest).rstrip(b"=").decode()


def init_app(app: Flask) -> None:
    fallbacks = app.config["SECRET_KEY_FALLBACKS"]
    app.extensions[EXTENSION] = SessionCSRF([app.config["SECRET_KEY"], *fallbacks])
    csrf.init_app(app)


def session_csrf(app: Flask) -> SessionCSRF:
    return cast(SessionCSRF, app.extensions[EXTENSION])


def require_csrf_header() -> None:
    """Check that a change by cookie comes from a client that can read our answers. Raises
    CSRFFailed.

    A bearer token needs no such check: no browser sends it by itself.
    """
    session = current_session()
    if request.method in SAFE_METHODS or session is None:
        return
    sent = request.headers.get(CSRF_HEADER, "")
    if session_csrf(current_app).is_value_of(session.id, sent):
        return
    try:
        validate_csrf(sent)  # the token of a form on one of our pages
    except ValidationError as error:
        raise CSRFFailed(
            f"Send the {CSRF_HEADER} header of the answer to GET /api/v1/me, with its cookies."
        ) from error
