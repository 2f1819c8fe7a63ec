"""The circuit breaker: what a failing provider may cost us. A dead one costs no time, a slow one
never all threads.

A *circuit* belongs to an origin, so one provider's dead token host does not affect another's. It
opens after FAILURES_IN_A_ROW calls that could not connect, were cut off or timed out. A response of
any status closes it: a 5xx comes quickly, so asking costs nobody a thread, and a refusal of one
person's request says nothing about the next one's.

*Places* form the bulkhead of a provider, whose token host may differ from its API's: only so many
requests wait for it at a time.
"""

import math
import threading
import time
from types import TracebackType

import structlog

from errors import ProviderDown, ProviderError

log = structlog.get_logger()

FAILURES_IN_A_ROW = 5
# Until one call tries again; doubled after each failure.
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 5.0, 60.0
# Above this response time a full bulkhead rejects instead of queueing.
SLOW_SECONDS = 3.0
# Three quarters of the threads of a worker that has eight.
MAX_WAITING = 6


class Circuit:
    """The calls to one origin. While closed, they pass; while open, one at a time tries when it is
    due.

    The healthy path takes no lock: a count that is read a moment too early costs one call.
    """

    def __init__(self, origin: str) -> None:
        scheme, _, place = origin.partition("://")
        # An address in the settings might contain a password.
        self._origin = f"{scheme}://{place.rpartition('@')[2]}"
        self._lock = threading.Lock()
        self._failures = 0
        self.is_open = False
        self._opened_at = self._next_at = self._wait = 0.0
        self._is_tried = False

    def begin(self) -> bool:
        """Before a call: return whether it is the trial call. Raises ProviderDown if it must not be
        made."""
        if not self.is_open:
            return False
        with self._lock:
            remaining = self._next_at - time.monotonic()
            if self.is_open and (remaining > 0 or self._is_tried):
                when = f"next try in {remaining:.0f} s" if remaining > 0 else "it is being tried"
                raise ProviderDown(
                    f"{self._origin} not asked: it failed {self._failures} times in a row, {when}",
                    wait_seconds=max(1, math.ceil(remaining)),
                )
            self._is_tried = self.is_open
            return self.is_open

    def succeeded(self) -> None:
        """After a response, of any call."""
        if not self._failures:
            return
        with self._lock:
            was_open, since = self.is_open, self._opened_at
            self._failures, self.is_open, self._is_tried = 0, False, False
        if was_open:
            away = round(time.monotonic() - since)
            log.warning("provider_back", origin=self._origin, away_seconds=away)

    def failed(self, detail: str, *, tried: bool) -> None:
        """After a failure. Calls that began before the circuit opened no longer count."""
        with self._lock:
            if self.is_open and not tried:
                return
            self._failures += 1
            opens = not self.is_open and self._failures >= FAILURES_IN_A_ROW
            if opens:
                self.is_open, self._opened_at = True, time.monotonic()
                self._wait = FIRST_WAIT_SECONDS
            elif self.is_open:
                self._wait = min(2 * self._wait, LONGEST_WAIT_SECONDS)
            self._next_at, self._is_tried = time.monotonic() + self._wait, False
        if opens:
            log.warning(
                "provider_away",
                origin=self._origin,
                failures=FAILURES_IN_A_ROW,
                detail=detail,
                next_try_seconds=round(FIRST_WAIT_SECONDS),
            )

    def given_up(self) -> None:
        """The trial call ended for another reason than the provider: let another call try."""
        with self._lock:
            self._is_tried = False


class Places:
    """The requests of this process that wait for one provider.

    While it responds at its usual speed, a request that finds all ``count`` places taken waits for
    one. As soon as the provider is slower than SLOW_SECONDS, such requests fail immediately. So a
    busy process serves everybody, and a slow provider holds ``count`` threads at most.
    """

    def __init__(self, name: str, count: int) -> None:
        self._name, self._count = name, count
        self._lock = threading.Condition(threading.Lock())
        # Since when each thread waits, the longest first.
        self._since: dict[int, float] = {}
        self._is_slow = False

    def take(self) -> None:
        """Take a place for this thread. Raises ProviderDown."""
        with self._lock:
            now = time.monotonic()
            end = now + SLOW_SECONDS
            while len(self._since) >= self._count:
                longest = next(iter(self._since.values()))
                remaining = 0 if self._is_slow else min(end, longest + SLOW_SECONDS) - now
                if remaining <= 0:
                    raise ProviderDown(
                        f"{self._name} not asked: {self._count} requests wait for it already",
                        wait_seconds=math.ceil(SLOW_SECONDS),
                    )
                self._lock.wait(remaining)
                now = time.monotonic()
            self._since[threading.get_ident()] = now

    def leave(self) -> None:
        with self._lock:
            since = self._since.pop(threading.get_ident())
            self._is_slow = time.monotonic() - since > SLOW_SECONDS
            self._lock.notify()

    def __enter__(self) -> None:
        self.take()

    def __exit__(self, *_raised: object) -> None:
        self.leave()


class Call:
    """Wraps a call that returns, or raises ProviderError (``Breaker.call``)."""

    __slots__ = ("_circuit", "_is_trying", "_places")

    def __init__(self, circuit: Circuit, places: Places | None) -> None:
        self._circuit, self._places = circuit, places
        self._is_trying = False

    def __enter__(self) -> None:
        if self._places:
            self._places.take()
        try:
            self._is_trying = self._circuit.begin()
        except ProviderDown:
            self._leave()
            raise

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _tb: TracebackType | None,
    ) -> None:
        self._leave()
        if isinstance(error, ProviderDown):
            self._circuit.failed(error.detail, tried=self._is_trying)
        elif error is None or isinstance(error, ProviderError):
            self._circuit.succeeded()
        elif self._is_trying:
            self._circuit.given_up()

    def _leave(self) -> None:
        if self._places:
            self._places.leave()


class Breaker:
    """The circuits of a process, with the places of one provider."""

    def __init__(
        self, name: str, max_waiting: int, circuits: dict[str, Circuit] | None = None
    ) -> None:
        self.places = Places(name, max_waiting)
        self._max_waiting = max_waiting
        self._circuits: dict[str, Circuit] = {} if circuits is None else circuits
        self._called: set[str] = set()

    def named(self, name: str) -> "Breaker":
        """Return the same circuits, with the places of another provider."""
        return Breaker(name, self._max_waiting, self._circuits)

    def call(self, origin: str) -> Call:
        """Wrap a call: ``with breaker.call(origin):``. Raises ProviderDown before it if it must not
        be made."""
        self._called.add(origin)
        places = None if getattr(_this_thread, "is_beside", False) else self.places
        return Call(self._circuit(origin), places)

    def is_open(self, origin: str) -> bool:
        return self._circuit(origin).is_open

    def state(self) -> dict[str, bool]:
        """Return the origins that this provider's calls went to, and whether each is answering."""
        return {origin: not self.is_open(origin) for origin in sorted(self._called)}

    def _circuit(self, origin: str) -> Circuit:
        circuit = self._circuits.get(origin)
        return circuit or self._circuits.setdefault(origin, Circuit(origin))


_this_thread = threading.local()


def mark_as_beside() -> None:
    """Mark this thread as a background call: the request that waits for it has a place, the thread
    needs none."""
    _this_thread.is_beside = True
