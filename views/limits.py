"""How much one address or one account may try. Success resets nothing."""

import ipaddress
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from errors import TooManyAttempts

ACTIONS_PER_MINUTE = 60


class Limits:
    """Counts refused sign-ins by address and changes by account, in windows of a minute."""

    def __init__(self, refusals_per_minute: int) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._refusals = RateLimitItemPerMinute(refusals_per_minute, namespace="refusals")
        self._actions = RateLimitItemPerMinute(ACTIONS_PER_MINUTE, namespace="actions")

    def check_refusals(self, address: str) -> None:
        """Raises TooManyAttempts while an address has had its share of refusals."""
        if not self._limiter.test(self._refusals, network(address)):
            self._refuse(self._refusals, network(address))

    def count_refusal(self, address: str) -> None:
        self._limiter.hit(self._refusals, network(address))

    def count_action(self, user_id: str) -> None:
        """Raises TooManyAttempts for one change of an account too many."""
        if not self._limiter.hit(self._actions, user_id):
            self._refuse(self._actions, user_id)

    def _refuse(self, item: RateLimitItemPerMinute, key: str) -> None:
        reset = self._limiter.get_window_stats(item, key).reset_time
        raise TooManyAttempts(f"limit of {item}", wait_seconds=max(1, round(reset - time.time())))


def network(address: str) -> str:
    """Whom to count for: an IPv4 address, or the /64 that an IPv6 user owns whole."""
    if ":" not in address:
        return address or "unknown"
    return str(ipaddress.ip_network((address, 64), strict=False))
