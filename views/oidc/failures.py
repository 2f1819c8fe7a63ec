"""Failures at the endpoints for programs: JSON with an error of RFC 6749, never a page."""

from typing import Any

from flask import Flask, g, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from issuer import metadata
from issuer.authorization import Asked
from issuer.faults import Refused
from views.oidc.answers import send_fault
from views.oidc.json_answers import allow_any_origin, refuse
from web.error_handlers import on_bug, on_http_exception

# Paths below it are for programs, but for these and what is below them.
ROOT = "/oauth2/"
OF_PEOPLE = ("/oauth2/authorize", "/oauth2/continue", "/oauth2/device", "/oauth2/logout")
NAMES = {404: "path_unknown", 405: "method_wrong", 413: "body_too_large"}


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, on_http_failure)
    app.register_error_handler(Exception, on_failure)


def is_for_programs() -> bool:
    """Tell whether a program reads the answer: also where no route was found."""
    path = request.path
    if path in metadata.WELL_KNOWN:
        return True
    is_for_people = any(path == place or path.startswith(f"{place}/") for place in OF_PEOPLE)
    return path.startswith(ROOT) and not is_for_people


def may_be_answered(asked: Asked) -> None:
    """Note whom to answer if this request fails: its client and address are checked."""
    g.asked = asked


def on_http_failure(error: HTTPException) -> Any:
    """Answer what Werkzeug and Flask raise: 404, 405, 413 …"""
    status = error.code or 500
    # A redirect to another spelling of a path is built from the Host header: no such path.
    status = 404 if 300 <= status < 400 else status
    if not is_for_programs() or status < 400:
        return on_http_exception(error)
    response = _answer(NAMES.get(status, "failed" if status >= 500 else "http_malformed"), status)
    if status == 405:
        response.headers["Allow"] = ", ".join(error.valid_methods or ())  # type: ignore[attr-defined]
    return response


def on_failure(error: Exception) -> Any:
    """Answer anything unforeseen; a client that waits for its person gets them back (RFC 9207:
    with ``iss``)."""
    page = on_bug(error)
    if is_for_programs():
        return _answer("failed", 500)
    asked: Asked | None = g.get("asked")
    return page if asked is None else send_fault(asked, "failed")


def _answer(name: str, status: int) -> Response:
    response = allow_any_origin(refuse(Refused(name)))
    response.status_code = status
    return response
