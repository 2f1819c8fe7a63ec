"""The reference of a request: a short name that its log lines and its page share."""

import secrets

import structlog
from flask import Flask

from web.request_state import request_state

# No vowels, so no words; nothing that is misread.
REFERENCE_LETTERS = b"23456789BCDFGHJKMNPQRSTVWXZ"
_LETTER_OF_BYTE = (REFERENCE_LETTERS * 10)[:256]


def init_app(app: Flask) -> None:
    app.before_request(begin_request)


def begin_request() -> None:
    """Give the request its reference, for its log lines too."""
    state = request_state()
    state.reference = make_reference()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(ref=state.reference)


def make_reference() -> str:
    letters = secrets.token_bytes(8).translate(_LETTER_OF_BYTE).decode()
    return f"{letters[:4]}-{letters[4:]}"
