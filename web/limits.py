"""How much one address or one account may try. Success resets nothing."""

import time
from typing import Any

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from accounts.activity import network
from errors import TooManyAttempts
from web.shared_limits import SharedLimiter, State

ACTIONS_PER_MINUTE = 60
# What a refusal weighs against a failure of the provider's, for which the address may not be to
# blame: only very many of those lock it out.
REFUSAL, FAILURE = 5, 1
PUT_BACK_SECONDS = 5


class Counts(MemoryStorage):
    """What this process counts, by the time of day: all of it is forgotten where that is put
    back, or counts that lie ahead would lock people out until then."""

    def __init__(self) -> None:
        self._ahead = time.time() - time.monotonic()
        super().__init__()

    def acquire_entry(self, *args: Any, **kwargs: Any) -> bool:
        self._check_clock()
        return super().acquire_entry(*args, **kwargs)

    def get_moving_window(self, *args: Any, **kwargs: Any) -> tuple[float, int]:
        self._check_clock()
        return super().get_moving_window(*args, **kwargs)

    def _check_clock(self) -> None:
        ahead = time.time() - time.monotonic()
        if ahead < self._ahead - PUT_BACK_SECONDS:
            self.reset()
        self._ahead = ahead


class Limits:
    """Counts refused sign-ins by address and changes by account, in windows of a minute.

    Refusals ``in_flow`` are of browsers that began a flow here. Those of others are counted
    apart and stop nobody but others: a site elsewhere can make them in its visitors' name.

    ``redis_url``: where instances count together; without, each process counts for itself.
    """

    def __init__(self, refusals_per_minute: int, redis_url: str | None = None) -> None:
        alone = MovingWindowRateLimiter(Counts())
        self._shared = SharedLimiter(redis_url, alone) if redis_url else None
        self._limiter = self._shared or alone
        weight = refusals_per_minute * REFUSAL
        self._refusals = {
            True: RateLimitItemPerMinute(weight, namespace="refusals"),
            False: RateLimitItemPerMinute(weight, namespace="refusals_out_of_flow"),
        }
        self._actions = RateLimitItemPerMinute(ACTIONS_PER_MINUTE, namespace="actions")

    def check_refusals(self, address: str, *, in_flow: bool = True) -> None:
        """Raises TooManyAttempts while an address has had its share of refusals."""
        item = self._refusals[in_flow]
        if not self._limiter.test(item, network(address), cost=REFUSAL):
            self._refuse(item, network(address))

    def count_refusal(self, address: str, *, in_flow: bool = True, weight: int = REFUSAL) -> None:
        self._limiter.hit(self._refusals[in_flow], network(address), cost=weight)

    def count_action(self, user_id: str) -> None:
        """Raises TooManyAttempts for one change of an account too many."""
        if not self._limiter.hit(self._actions, user_id):
            self._refuse(self._actions, user_id)

    def shared_state(self) -> State | None:
        """Whether instances count together now; None where they are not to. At most 0.3 s."""
        return self._shared.state() if self._shared else None

    def _refuse(self, item: RateLimitItemPerMinute, key: str) -> None:
        reset = self._limiter.get_window_stats(item, key).reset_time
        raise TooManyAttempts(
            f"limit of {item.namespace}", wait_seconds=max(1, round(reset - time.time()))
        )
