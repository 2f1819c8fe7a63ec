"""Metrics: every response is counted and timed; /metrics serves them to Prometheus."""

import hmac
import logging
import time
from typing import Any

import structlog
from flask import Blueprint, Flask, Response, abort, current_app, request
from sqlalchemy import event, func, select

from accounts import sessions
from accounts.models import Flow
from issuer import logouts, signing_keys
from models import User
from notices import mails
from storage import db, now
from storage.engine import engine_of
from telemetry import metrics
from vault import revocations
from web.context import site
from web.place import asked_name, is_on_this_machine
from web.request_state import request_state

log = structlog.get_logger()
monitoring = Blueprint("metrics", __name__)

STATUS_CLASSES = ("0xx", "1xx", "2xx", "3xx", "4xx", "5xx")


def init_app(app: Flask) -> None:
    """Register first, so that the time of the other hooks is included."""
    app.before_request(start_timer)
    app.after_request(count_response)
    app.register_blueprint(monitoring)
    engine = engine_of(app)
    in_use: set[int] = set()

    def taken(_connection: Any, record: Any, _proxy: Any) -> None:
        in_use.add(id(record))
        metrics.CONNECTIONS.inc()

    def given_back(_connection: Any, record: Any) -> None:
        if id(record) in in_use:  # one that failed to open was never taken
            in_use.discard(id(record))
            metrics.CONNECTIONS.dec()

    event.listen(engine, "checkout", taken)
    event.listen(engine, "checkin", given_back)


def start_timer() -> None:
    request_state().began = time.perf_counter()


def count_response(response: Response) -> Response:
    """By the endpoint's name, never by the path: that may hold anything."""
    began = request_state().began
    seconds = 0.0 if began is None else time.perf_counter() - began
    endpoint = request.endpoint or "none"
    status = response.status_code
    metrics.count_request(endpoint, STATUS_CLASSES[status // 100], seconds)
    if logging.getLogger().isEnabledFor(logging.DEBUG) and endpoint != "static":
        log.debug(
            "request",
            method=request.method,
            route=request.url_rule.rule if request.url_rule else None,
            status=status,
            milliseconds=round(seconds * 1000, 1),
        )
    return response


@monitoring.get("/metrics")
def show() -> Response:
    """Show the metrics to holders of METRICS_TOKEN; without a token, to this machine if no proxy is
    in front. Others get a 404, or a request for the token."""
    token = site().settings.metrics_token
    if token is not None:
        sent = request.headers.get("Authorization", "")
        if not hmac.compare_digest(sent.encode(), f"Bearer {token.get_secret_value()}".encode()):
            challenge = {"WWW-Authenticate": "Bearer"}
            return Response("Unauthorized\n", 401, challenge, mimetype="text/plain")
    elif site().settings.trusted_proxies or not is_on_this_machine(asked_name()):
        abort(404)
    found = facts()
    db.session.remove()  # otherwise this request's own connection would count as in use
    return Response(metrics.exposition(found), content_type=metrics.CONTENT_TYPE)


def facts() -> dict[str, float]:
    """Return whether this server is ready, and the counts of the database if it is reachable."""
    is_ready, lines = current_app.extensions["health"].report()
    found = {"quickstep_ready": float(is_ready)}
    if is_ready:
        found["quickstep_signing_key_readable"] = float("signing_key: ok" in lines)
        found |= numbers()
    return found


def numbers() -> dict[str, float]:
    """Count what the database holds."""

    def number(of: type[User | Flow], *where: object) -> int:
        query = select(func.count()).select_from(of)
        return db.session.scalar(query.where(*where)) or 0  # type: ignore[arg-type]

    tokens, sign_outs, post = revocations.waiting(), logouts.waiting(), mails.waiting()
    return {
        "quickstep_users": number(User),
        "quickstep_sessions": sessions.count_alive(),
        "quickstep_flows": number(Flow, Flow.expires_at > now()),
        "quickstep_revocations_waiting": tokens.count,
        "quickstep_revocations_oldest_seconds": tokens.oldest_seconds,
        "quickstep_logouts_waiting": sign_outs.count,
        "quickstep_logouts_oldest_seconds": sign_outs.oldest_seconds,
        "quickstep_mails_waiting": post.count,
        "quickstep_mails_oldest_seconds": post.oldest_seconds,
        "quickstep_signing_key_age_seconds": signing_keys.age_seconds(),
    }
