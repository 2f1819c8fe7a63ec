"""Works off an outbox in parallel: each row in a thread of its own, a few for one receiver at a
time, so that a slow receiver delays no other.

A row is leased only while a thread is free: in a queue its lease could run out, and another
instance would work it off too.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog
from flask import Flask

log = structlog.get_logger()

AT_ONCE = 16
PER_RECEIVER = 2

Row = TypeVar("Row")


@dataclass(frozen=True)
class Outbox(Generic[Row]):
    """The verbs of an outbox.

    ``receivers_due``: the ids of receivers with a row that is due. ``lease_next``: leases the next
    row of a receiver, for longer than an attempt can last. ``deliver``: tries a row once.
    ``seconds_to_next``: how long until a row is due; None if none waits.
    """

    name: str
    receivers_due: Callable[[], Sequence[str]]
    lease_next: Callable[[str], Row | None]
    deliver: Callable[[Row], object]
    seconds_to_next: Callable[[], float | None]


class Deliverer(Generic[Row]):
    """Works off the due rows of one outbox in this process."""

    def __init__(self, app: Flask, outbox: Outbox[Row], prepare_thread: Callable[[], None]) -> None:
        self._app, self._outbox = app, outbox
        self._pool = ThreadPoolExecutor(AT_ONCE, outbox.name, prepare_thread)
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()

    def work(self) -> float | None:
        """Begin what is due; return the seconds until there is work again."""
        for receiver in self._outbox.receivers_due():
            while self._has_place(receiver) and (row := self._outbox.lease_next(receiver)):
                with self._lock:
                    self._running[receiver] += 1
                self._pool.submit(self._deliver, receiver, row)
        return self._outbox.seconds_to_next()

    def _has_place(self, receiver: str) -> bool:
        with self._lock:
            is_free = self._running.total() < AT_ONCE
            return is_free and self._running[receiver] < PER_RECEIVER

    def _deliver(self, receiver: str, row: Row) -> None:
        try:
            with self._app.app_context():
                self._outbox.deliver(row)
        except Exception:
            log.exception("background_failed", work=self._outbox.name)
        finally:
            with self._lock:
                self._running[receiver] -= 1
