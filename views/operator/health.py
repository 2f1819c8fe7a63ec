"""Probes: this process is alive (/livez, /healthz), and it can serve (/readyz)."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog
from flask import Blueprint, Flask, Response, current_app
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from storage import schema
from storage.engine import engine_of
from web.limits import Limits

log = structlog.get_logger()
health = Blueprint("health", __name__)

CHECK_SECONDS = 2.0
MISSING = "there is none: flask --app app db upgrade"


class NotReady(Exception):
    """The reason why this server cannot serve, in words that are safe to publish."""


class Check(NamedTuple):
    """``probe`` raises NotReady, or ends within CHECK_SECONDS; taking longer is a failure too."""

    name: str
    probe: Callable[[Flask], None]
    # Whether this server cannot serve without it.
    is_needed: bool = True


@dataclass
class Health:
    """The health of one application."""

    app: Flask
    checks: list[Check]
    # gunicorn.conf.py replaces this.
    is_stopping: Callable[[], bool] = lambda: False
    _attempts: dict[str, "Attempt"] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _failing: set[str] = field(default_factory=set)

    def report(self) -> tuple[bool, list[str]]:
        """Return whether all is well, and a line for each check."""
        attempts = [self._begin_attempt(check) for check in self.checks]
        until = time.monotonic() + CHECK_SECONDS
        found = {one.check.name: one.reason_by(until) for one in attempts}
        if self.is_stopping():
            found["process"] = "is stopping"
        for name, reason in found.items():
            self._log_change(name, reason)
        lines = [f"{name}: {reason or 'ok'}" for name, reason in found.items()]
        unneeded = {check.name for check in self.checks if not check.is_needed}
        return not any(found[name] for name in found.keys() - unneeded), lines

    def _begin_attempt(self, check: Check) -> "Attempt":
        """Start the check once: if it hangs, later probes wait for the same run."""
        with self._lock:
            attempt = self._attempts.get(check.name)
            if attempt is None or not attempt.is_alive():
                attempt = self._attempts[check.name] = Attempt(check, self.app)
                attempt.start()
            return attempt

    def _log_change(self, name: str, reason: str) -> None:
        """Log changes, not every probe."""
        if reason and name not in self._failing:
            self._failing.add(name)
            log.error("not_ready", check=name, reason=reason)
        elif not reason and name in self._failing:
            self._failing.discard(name)
            log.info("ready_again", check=name)


class Attempt(threading.Thread):
    """A running check in a thread of its own: if it hangs (a network that drops packets), neither
    the response nor the end of the process waits for it."""

    def __init__(self, check: Check, app: Flask) -> None:
        super().__init__(name=f"check-{check.name}", daemon=True)
        self.check = check
        self._app = app
        self._reason = ""

    def run(self) -> None:
        try:
            self.check.probe(self._app)
        except NotReady as error:
            self._reason = str(error)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is no success)
            self._reason = type(error).__name__

    def reason_by(self, until: float) -> str:
        """Return why it fails, or an empty text. ``until`` is a time of the monotonic clock."""
        self.join(max(0.0, until - time.monotonic()))
        if self.is_alive():
            return f"no answer within {CHECK_SECONDS:g} seconds"
        return self._reason


def init_app(app: Flask, limits: Limits | None) -> None:
    """Register the probes. ``limits``: the shared limits, if instances share them."""
    checks = [Check("database", check_database), Check("schema", SchemaCheck().check_schema)]
    if limits is not None:
        checks.append(redis_check(limits))
    app.extensions["health"] = Health(app, checks)
    app.register_blueprint(health)


def check_database(app: Flask) -> None:
    try:
        with engine_of(app).connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        raise NotReady(type(error).__name__) from None


class SchemaCheck:
    """Check that the schema matches this release, until it does once. A newer schema must not make
    a running server unready: it is upgraded before the servers are replaced."""

    def __init__(self) -> None:
        self._is_good = False

    def check_schema(self, app: Flask) -> None:
        if self._is_good:
            return
        try:
            with engine_of(app).connect() as connection:
                found = schema.current(connection)
        except SQLAlchemyError:
            raise NotReady("cannot be read") from None
        if not found:
            raise NotReady(MISSING)
        if found != schema.newest():
            at, wanted = (", ".join(sorted(each)) for each in (found, schema.newest()))
            raise NotReady(f"is at {at} and not at {wanted}: flask --app app db upgrade")
        self._is_good = True


def redis_check(limits: Limits) -> Check:
    """Report Redis, but stay ready: while Redis is away each instance counts for itself, and taking
    all instances out of service would be worse."""

    def check_redis(_app: Flask) -> None:
        if limits.shared_state() == "gone":
            raise NotReady("is away; limits are counted by each instance alone")

    return Check("redis", check_redis, is_needed=False)


@health.get("/livez")
@health.get("/healthz")
def live() -> Response:
    return Response("ok\n", mimetype="text/plain")


@health.get("/readyz")
def ready() -> Response:
    """Return 200 or 503, with a line for each check."""
    state: Health = current_app.extensions["health"]
    is_ready, lines = state.report()
    status = 200 if is_ready else 503
    response = Response("\n".join([*lines, ""]), status, mimetype="text/plain")
    if not is_ready:
        response.headers["Retry-After"] = "5"
    return response
