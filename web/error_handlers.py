"""Error handlers: every error becomes a page or problem+json, with a log line and a shared
reference.
"""

from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, g, render_template, request
from flask_wtf.csrf import CSRFError
from markupsafe import Markup
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from werkzeug.exceptions import BadHost, HTTPException

from accounts import activity
from accounts.activity import EventKind
from accounts.flows import Intent
from errors import (
    CodeRefused,
    CrossSite,
    FormOld,
    InvalidToken,
    Misconfigured,
    NotFound,
    Problem,
    ProviderDown,
    ProviderError,
    RequestFault,
    SignInError,
    TooManyAttempts,
)
from telemetry import metrics
from web.bearer import is_bearer
from web.context import current_flow, site
from web.cookies import forget_cookies, is_in_flow
from web.guards import caller, forget_who_asks
from web.limits import FAILURE, REFUSAL
from web.problem_details import problem_json
from web.sign_in_page import fill_in, provider_name, sign_in_page, text_of
from web.text.error_pages import ERROR_PAGES
from web.text.words import THIS_ACCOUNT

log = structlog.get_logger()

RETRY_AFTER_SECONDS = 30
# How the two engines report a missing schema.
NO_SCHEMA_SIGNS = ("no such table", 'relation "')
NO_SCHEMA = "run: flask --app app db upgrade"
# The name of a refusal in the activity list, by intent.
REFUSED = {
    Intent.LINK: EventKind.LINK_REFUSED,
    Intent.REAUTHENTICATE: EventKind.REAUTH_REFUSED,
}
# Paths that programs request.
JSON_PATHS = ("/api/", "/auth/", "/openapi.json")


def init_app(app: Flask) -> None:
    app.register_error_handler(Problem, on_problem)
    app.register_error_handler(RequestFault, on_request_fault)
    app.register_error_handler(CSRFError, on_csrf_error)
    app.register_error_handler(HTTPException, on_http_exception)
    app.register_error_handler(SQLAlchemyError, on_database_error)
    app.register_error_handler(Exception, on_bug)


def wants_json() -> bool:
    return request.path.startswith(JSON_PATHS)


def on_request_fault(fault: RequestFault) -> Response:
    """Handle a program's faulty request, which is not a refused sign-in."""
    log.info("request_refused", reason=fault.code, method=request.method, endpoint=request.endpoint)
    metrics.count_refusal(None, fault.code)
    title = HTTPStatus(fault.status).phrase
    return problem_json(fault.status, fault.code, title, fault.detail, **fault.members)


def on_problem(error: Problem) -> Any:
    """Handle an expected failure: its page, a log line, a line in the person's activity."""
    try:
        return tell(error)
    except SQLAlchemyError as lost:  # the page shows the signed-in person
        return on_database_error(lost)


def tell(error: Problem) -> tuple[str | Response, int, dict[str, str]]:
    flow = current_flow()
    provider = provider_name()
    write = log.error if isinstance(error, Misconfigured) else log.warning
    write(
        "refused",
        reason=error.code,
        provider=provider,
        intent=flow.intent.value if flow else None,
        detail=error.detail,
        address=caller().address,
    )
    metrics.count_refusal(provider, error.code)
    if provider and isinstance(error, SignInError):
        metrics.count_sign_in(provider, "refused")
    if weight := weight_of(error):
        in_flow = is_in_flow() or wants_json()  # programs have no flows
        site().limits.count_refusal(caller().address, in_flow=in_flow, weight=weight)
    if flow and flow.user_id and isinstance(error, SignInError):
        kind = REFUSED.get(flow.intent, EventKind.REFUSED)
        activity.record(flow.user_id, kind, caller(), provider=flow.provider, reason=error.code)
    headers = {}
    if isinstance(error, TooManyAttempts):
        headers["Retry-After"] = str(error.wait_seconds)
    if isinstance(error, ProviderDown) and error.wait_seconds is not None:
        headers["Retry-After"] = str(error.wait_seconds)
    if isinstance(error, InvalidToken):  # RFC 6750 3.1
        headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    if wants_json():
        answer = problem_json(
            error.status, error.code, HTTPStatus(error.status).phrase, _detail(error)
        )
        return answer, error.status, headers
    if isinstance(error, NotFound):
        return error_page(404, 404), 404, headers
    return sign_in_page(error), error.status, headers


def _detail(error: Problem) -> str | None:
    """Return what a program may show its person; None for a 404, whose text is about a page."""
    if error.status == 404:
        return None
    text = text_of(error)
    title = fill_in(text.title, error).striptags()
    if not isinstance(error, SignInError):
        return title
    return f"{title}. {fill_in(text.body, error).striptags()}"


def weight_of(error: Problem) -> int:
    """Return how much a failure counts against its address.

    A refusal counts fully, whether ours or, for an invented code, the provider's. Other failures of
    a provider count a little, so that nobody can cause requests to it without limit. Its absence
    does not count, so that it locks nobody out; nor do requests that another site makes its
    visitors' browsers send.
    """
    if isinstance(error, CrossSite):
        return 0
    if is_bearer():  # many phones share an address, and each may have an expired token
        return 0
    if isinstance(error, CodeRefused) or error.status in (400, 401, 403):
        return REFUSAL
    is_failure = isinstance(error, ProviderError) and not isinstance(error, ProviderDown)
    return FAILURE if is_failure else 0


def on_csrf_error(error: CSRFError) -> Any:
    return on_problem(FormOld(error.description or ""))


def on_http_exception(error: HTTPException) -> Any:
    """Handle Werkzeug's and Flask's errors: 404, 405, 413 …"""
    status = error.code or 500
    allow = {"Allow": ", ".join(error.valid_methods or ())} if status == 405 else {}  # type: ignore[attr-defined]
    if wants_json():
        response = problem_json(status, error.name.lower().replace(" ", "_"), error.name)
        response.headers.update(allow)
        return response
    # A page has URLs of ours, and for an untrusted host none can be built.
    if error.response is not None or status < 400 or isinstance(error, BadHost):
        return error
    return error_page(status if status in ERROR_PAGES else 400, status), status, allow


def on_database_error(error: SQLAlchemyError) -> Any:
    """Handle a database that is gone, locked or not set up: a clear 503, and the person can try
    again."""
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
    forget_who_asks()
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    if not lost and type(error).__name__ != "TimeoutError":
        return on_bug(error)
    if wants_json():
        response = problem_json(503, "unavailable", "Service Unavailable")
        response.headers.update(headers)
        return response
    return error_page(503, 503), 503, headers


def on_bug(error: Exception) -> Any:
    """Handle anything unforeseen: log the traceback, show the reference."""
    log.error("bug", exc_info=error)
    forget_cookies()
    forget_who_asks()
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
            product=settings.app_name, ref=g.get("reference", ""), email=THIS_ACCOUNT
        ),
        endpoint=page.endpoint,
        action=page.action,
    )
