"""Limits that instances share through Redis, and the fallback while it is away.

A Redis that is gone or hangs delays one request by a third of a second. From then on each instance
counts for itself, and a background thread tries Redis again every few seconds.
"""

import threading
import time
from collections.abc import Callable
from typing import Literal, TypeVar

import structlog
from limits import RateLimitItem, WindowStats
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

log = structlog.get_logger()
T = TypeVar("T")

KEY_PREFIX = "quickstep:limits"
TIMEOUT_SECONDS = 0.3
ASK_AGAIN_AFTER_SECONDS = 3.0

State = Literal["ok", "gone"]


class SharedLimiter:
    """Asks Redis, and ``alone`` while Redis does not respond. It connects on first use, and no
    method raises.

    Keys contain a network as it is counted (an IPv4 address, an IPv6 /64) or an account's id, and
    expire with the window of a minute.
    """

    def __init__(self, url: str, alone: MovingWindowRateLimiter) -> None:
        # The client's own retries are off: they suit programs that can wait.
        self._storage = RedisStorage(
            url,
            key_prefix=KEY_PREFIX,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
        )
        self._shared, self._alone = MovingWindowRateLimiter(self._storage), alone
        errors = self._storage.base_exceptions
        self._errors: tuple[type[Exception], ...] = (OSError,)
        self._errors += errors if isinstance(errors, tuple) else (errors,)
        self._lock = threading.Lock()
        self._is_gone = False
        self._ask_again_at = 0.0

    def test(self, item: RateLimitItem, key: str, cost: int = 1) -> bool:
        return self._ask_limiter(lambda limiter: limiter.test(item, key, cost=cost))

    def hit(self, item: RateLimitItem, key: str, cost: int = 1) -> bool:
        return self._ask_limiter(lambda limiter: limiter.hit(item, key, cost=cost))

    def get_window_stats(self, item: RateLimitItem, key: str) -> WindowStats:
        return self._ask_limiter(lambda limiter: limiter.get_window_stats(item, key))

    def state(self) -> State:
        """Return whether Redis can be used now; takes the timeout at most."""
        return "ok" if self._may_ask_redis() and self._try_redis() else "gone"

    def _ask_limiter(self, question: Callable[[MovingWindowRateLimiter], T]) -> T:
        if self._may_ask_redis():
            try:
                return question(self._shared)
            except self._errors as error:
                self._note_loss(error)
        return question(self._alone)

    def _may_ask_redis(self) -> bool:
        """Return whether Redis responded last; if not, let a thread try it from time to time."""
        if not self._is_gone:
            return True
        with self._lock:
            is_due = self._is_gone and time.monotonic() >= self._ask_again_at
            if is_due:
                self._ask_again_at = time.monotonic() + ASK_AGAIN_AFTER_SECONDS
        if is_due:
            threading.Thread(target=self._try_redis, name="shared limits", daemon=True).start()
        return False

    def _try_redis(self) -> bool:
        """Test what limits need: a Redis that answers PING may be a replica, or full."""
        try:
            self._storage.acquire_entry("look", limit=1, expiry=1)
        except self._errors as error:
            self._note_loss(error)
            return False
        with self._lock:
            was_gone, self._is_gone = self._is_gone, False
        if was_gone:
            log.info("limits_shared_again")
        return True

    def _note_loss(self, error: Exception) -> None:
        with self._lock:
            was_gone, self._is_gone = self._is_gone, True
            self._ask_again_at = time.monotonic() + ASK_AGAIN_AFTER_SECONDS
        if not was_gone:
            # Log only the type: Redis' message may quote the password.
            log.warning("limits_not_shared", error=type(error).__name__)
