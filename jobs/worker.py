"""Background work of a process: a thread that runs while there is something to do."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from flask import Flask, Response, g
from sqlalchemy.exc import SQLAlchemyError

log = structlog.get_logger()

# How often a process that serves requests checks for work.
LOOK_EVERY_SECONDS = 60


@dataclass
class Worker:
    """Starts after the response of a request that asked for it (``run_after_response``). While the
    process serves requests, it also checks from time to time for work that others left.

    ``work`` runs in an application context and returns the seconds until there is work again. None:
    no work is left, or none can be done now, and a later request will check again.
    """

    app: Flask
    name: str
    work: Callable[[], float | None]
    _thread: threading.Thread | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _called: threading.Event = field(default_factory=threading.Event)
    _is_stopped: bool = False
    _looked_at: float = field(default_factory=time.monotonic)

    def after_request(self, response: Response) -> Response:
        is_due = time.monotonic() > self._looked_at + LOOK_EVERY_SECONDS
        if g.pop(_left(self.name), False) or is_due:
            self._looked_at = time.monotonic()
            response.call_on_close(self.call)
        return response

    def call(self) -> None:
        """Wake the worker, so that it checks now."""
        with self._lock:
            self._called.set()
            if self._thread is None and not self._is_stopped:
                self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
                self._thread.start()

    def ask_to_stop(self) -> None:
        """Have the thread end after what it does now."""
        with self._lock:
            self._is_stopped = True
            self._called.set()

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the end of the thread for at most this long."""
        if thread := self._thread:
            thread.join(seconds)

    def _run(self) -> None:
        while True:
            self._called.clear()
            wait = self._work()
            if wait is not None:
                self._called.wait(min(max(wait, 1.0), LOOK_EVERY_SECONDS))
            with self._lock:
                if self._is_stopped or (wait is None and not self._called.is_set()):
                    self._thread = None
                    return

    def _work(self) -> float | None:
        with self.app.app_context():
            try:
                return self.work()
            except SQLAlchemyError as error:
                log.error("background_failed", work=self.name, error=type(error).__name__)  # noqa: TRY400 (a statement's parameters are not for the log)
            except Exception:  # an error must not end the worker
                log.exception("background_failed", work=self.name)
            return None


def run_after_response(name: str) -> None:
    """Start the worker of this name after the response of this request."""
    setattr(g, _left(name), True)


def _left(name: str) -> str:
    return f"left_{name}"
