"""Error handlers: every failure becomes a page or problem+json with a reference to its log line."""

from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, render_template, request
from flask_wtf.csrf import CSRFError
from markupsafe import Markup
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError
from werkzeug.exceptions import BadHost, HTTPException
from werkzeug.exceptions import NotFound as NotFoundPage
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response as AnyResponse

from errors import (
    Expired,
    FormOld,
    InvalidToken,
    NotFound,
    Problem,
    ProviderDown,
    RequestFault,
    SignedOut,
    SignInError,
    StateMismatch,
    TooManyAttempts,
)
from telemetry import metrics
from web.account_choice import choose_after
from web.authentication import ended_before, ended_meanwhile, forget_login
from web.context import site
from web.cookies import forget_cookies
from web.failure_page import is_spent_callback, lead_to_failure_page
from web.problem_details import problem_json, wants_json
from web.refusals import record_refusal
from web.request_state import request_state
from web.session_cookie import drop_session_token
from web.sign_in_page import fill_in, provider_name, sign_in_page, text_of
from web.text.error_pages import ERROR_PAGES
from web.text.words import THIS_ACCOUNT

log = structlog.get_logger()

RETRY_AFTER_SECONDS = 30
# Errors that a browser meets when its session has been ended from elsewhere.
UNMATCHED = (StateMismatch, Expired, FormOld)
# How a row that another request has deleted shows.
MISSING_ROW = (IntegrityError, ObjectDeletedError, StaleDataError)
# How the two engines report that the schema was never created.
NO_SCHEMA_SIGNS = ("no such table", 'relation "')
NO_SCHEMA = "run: flask --app app db upgrade"


def init_app(app: Flask) -> None:
    app.register_error_handler(Problem, on_problem)
    app.register_error_handler(RequestFault, on_request_fault)
    app.register_error_handler(CSRFError, on_csrf_error)
    app.register_error_handler(HTTPException, on_http_exception)
    app.register_error_handler(SQLAlchemyError, on_database_error)
    app.register_error_handler(Exception, on_bug)


def on_request_fault(fault: RequestFault) -> Response:
    """Answer a malformed request of a program; it counts as no refused sign-in."""
    log.info("request_refused", reason=fault.code, method=request.method, endpoint=request.endpoint)
    metrics.count_refusal(None, fault.code)
    title = HTTPStatus(fault.status).phrase
    return problem_json(fault.status, fault.code, title, fault.detail, **fault.members)


def on_problem(error: Problem) -> Any:
    """Answer a failure that was foreseen."""
    try:
        ended = ended_meanwhile()
        if ended is None and isinstance(error, UNMATCHED):
            ended = ended_before()
        return answer_problem(ended or error)
    except SQLAlchemyError as lost:  # the page shows the signed-in user
        return on_database_error(lost)


def answer_problem(error: Problem) -> tuple[str | AnyResponse, int, dict[str, str]]:
    if isinstance(error, SignedOut):
        forget_login()
        if not is_spent_callback(error):  # its page needs the cookie, to say how the session ended
            drop_session_token()
    record_refusal(error, provider_name(), is_program=wants_json())
    if not wants_json():
        choose_after(error)
    headers = headers_of(error)
    if wants_json():
        title = HTTPStatus(error.status).phrase
        answer = problem_json(error.status, error.code, title, _detail(error))
        return answer, error.status, headers
    if isinstance(error, NotFound):
        return error_page(404, 404), 404, headers
    if is_spent_callback(error):
        return lead_to_failure_page(error), 303, {}
    return sign_in_page(error), error.status, headers


def headers_of(error: Problem) -> dict[str, str]:
    if isinstance(error, InvalidToken):  # RFC 6750 3.1
        return {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    if isinstance(error, SignedOut):
        return {"WWW-Authenticate": 'Bearer realm="api"'}
    if isinstance(error, TooManyAttempts | ProviderDown) and error.wait_seconds is not None:
        return {"Retry-After": str(error.wait_seconds)}
    return {}


def _detail(error: Problem) -> str | None:
    """Return what a program may show its person; None for a 404, whose words speak of a page."""
    if error.status == 404:
        return None
    text = text_of(error)
    title = fill_in(text.title, error).striptags()
    if not isinstance(error, SignInError):
        return title
    return f"{title}. {fill_in(text.body, error).striptags()}"


def on_csrf_error(error: CSRFError) -> Any:
    return on_problem(FormOld(error.description or ""))


def on_http_exception(error: HTTPException) -> Any:
    """Answer what Werkzeug and Flask raise: 404, 405, 413 …"""
    if isinstance(error, RequestRedirect):  # is built from the Host header
        error = NotFoundPage()
    status = error.code or 500
    allow = {"Allow": ", ".join(error.valid_methods or ())} if status == 405 else {}  # type: ignore[attr-defined]
    if wants_json():
        response = problem_json(status, error.name.lower().replace(" ", "_"), error.name)
        response.headers.update(allow)
        return response
    # A page holds addresses of ours, and with a bad Host they cannot be built.
    if error.response is not None or status < 400 or isinstance(error, BadHost):
        return error
    return error_page(status if status in ERROR_PAGES else 400, status), status, allow


def on_database_error(error: SQLAlchemyError) -> Any:
    """Answer 503 when the database is gone, locked or not set up.

    A row that is missing says nothing about the database if this request's account or session has
    been deleted meanwhile.
    """
    if isinstance(error, MISSING_ROW) and (ended := ended_meanwhile()):
        return answer_problem(ended)
    lost = isinstance(error, DBAPIError)
    cause = str(getattr(error, "orig", error)).strip().splitlines()
    hint = NO_SCHEMA if any(sign in "".join(cause) for sign in NO_SCHEMA_SIGNS) else None
    log.error(
        "database_failed",
        error=type(error).__name__,
        cause=cause[0] if cause else "",
        **({"hint": hint} if hint else {}),
    )
    forget_cookies()
    forget_login()
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    if not lost and type(error).__name__ != "TimeoutError":
        return on_bug(error)
    if wants_json():
        response = problem_json(503, "unavailable", "Service Unavailable")
        response.headers.update(headers)
        return response
    return error_page(503, 503), 503, headers


def on_bug(error: Exception) -> Any:
    """Log anything unforeseen with its traceback, and show its reference."""
    log.error("bug", exc_info=error)
    forget_cookies()
    forget_login()
    if wants_json():
        return problem_json(500, "internal_error", "Internal Server Error")
    return error_page(500, 500), 500


def error_page(kind: int, status: int) -> str:
    """Render a page that needs neither database nor cookie."""
    page, settings = ERROR_PAGES[kind], site().settings
    return render_template(
        "error.html",
        status=status,
        title=page.title,
        body=Markup(page.body).format(  # noqa: S704 (our own text)
            product=settings.brand_name, ref=request_state().reference, email=THIS_ACCOUNT
        ),
        endpoint=page.endpoint,
        action=page.action,
    )
