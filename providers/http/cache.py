"""A cache of remote documents, which are served stale while they cannot be read again."""

import copy
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from errors import ProviderDown, ProviderError
from providers.http.breaker import SLOW_SECONDS

LIFETIME_SECONDS = 3600
# An unknown key makes the set be fetched again, unless it was fetched this recently.
COOL_DOWN_SECONDS = 5
# After a failed read the old copy is served this long before the issuer is asked again.
RETRY_SECONDS = 30
# Without an old copy, a failure is returned to everybody for this long.
FAILURE_SECONDS = 2

T = TypeVar("T")


def an_hour(_value: object) -> float:
    return LIFETIME_SECONDS


class Cached(Generic[T]):
    """A remote value: kept for a while, served stale while reading it again fails.

    ``lifetime`` returns for how many seconds a value is kept. Thread-safe. One caller reads; the
    others get the old copy or, if there is none, wait for a short time: a slow issuer holds one
    thread. If there is nothing to serve, they share the failure, so that waiting callers do not try
    one after the other.
    """

    def __init__(self, read: Callable[[], T], lifetime: Callable[[T], float] = an_hour) -> None:
        self._read = read
        self._lifetime = lifetime
        self._lock = threading.Lock()
        self._value: T | None = None
        self._until = 0.0
        self._asked = self._began = float("-inf")
        self._failure: ProviderError | None = None

    @property
    def known(self) -> T | None:
        """Return the last copy without a request; None if there is none."""
        return self._value

    def get(self) -> T:
        """Return the value, read again if needed. Raises ProviderError."""
        return self._get(time.monotonic() - FAILURE_SECONDS)

    def insist(self) -> T:
        """Return the value for a caller who cannot come back later: earlier failures do not count,
        and a quick one is tried again. Raises ProviderError."""
        try:
            return self._get(time.monotonic())
        except ProviderError as error:
            if isinstance(error, ProviderDown) and (error.status == 504 or error.wait_seconds):
                raise
            return self._get(time.monotonic())

    def _get(self, since: float) -> T:
        """Return the value; a failure counts if it happened after ``since``."""
        value = self._value
        if value is not None and time.monotonic() < self._until:
            return value
        if not self._lock.acquire(blocking=False):
            if value is not None:
                return value
            self._wait(since)
        try:
            if self._value is not None and time.monotonic() < self._until:
                return self._value
            return self._read_now(since)
        finally:
            self._lock.release()

    def renew(self) -> T:
        """Read it again now, unless that was done a few seconds ago."""
        since = time.monotonic() - FAILURE_SECONDS
        if not self._lock.acquire(blocking=False):
            self._wait(since)
        try:
            if self._value is not None and time.monotonic() < self._asked + COOL_DOWN_SECONDS:
                return self._value
            return self._read_now(since)
        finally:
            self._lock.release()

    def _wait(self, since: float) -> None:
        """Wait for the caller that reads, as long as an issuer usually takes; then take the lock.
        Raises ProviderError if it takes longer, or the last attempt failed."""
        self._raise_failure(since)
        now = time.monotonic()
        # The holder of the lock may not have begun yet.
        began = self._began if self._began > self._asked else now
        remaining = began + SLOW_SECONDS - now
        if not self._lock.acquire(timeout=max(0.0, remaining)):
            raise ProviderDown("somebody is asking already, and it takes long", timed_out=True)

    def _raise_failure(self, since: float) -> None:
        if self._failure and self._asked > since:
            raise copy.copy(self._failure)

    def _read_now(self, since: float) -> T:
        self._raise_failure(since)
        self._began = time.monotonic()
        try:
            self._value = self._read()
            self._until = time.monotonic() + self._lifetime(self._value)
            self._failure = None
        except ProviderError as error:
            if self._value is None:
                self._failure = error
                raise
            self._until = time.monotonic() + RETRY_SECONDS
        finally:
            self._asked = time.monotonic()
        return self._value
