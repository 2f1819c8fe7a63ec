"""Limits by address and by account. Success resets nothing."""

import time
from typing import Any, Literal

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from accounts.activity import network
from errors import TooManyAttempts
from web.shared_limits import SharedLimiter, State

ACTIONS_PER_MINUTE = 60
# Changes by one administrator, whatever they changed of their own account.
ADMIN_ACTS_PER_MINUTE = 30
# Wrong codes of devices, of one account and from one address, in ten minutes.
WRONG_CODES_PER_ACCOUNT, WRONG_CODES_PER_ADDRESS = 10, 30
# Failed requests of one application from one address.
APP_FAILURES_PER_MINUTE = 60
# Rows that anybody can cause from one address in the name of an application without a secret:
# pushed requests in a minute, and codes for devices in ten.
PUSHES_PER_MINUTE, DEVICES_PER_TEN_MINUTES = 300, 100
# Refused deliveries to /inbox from one address.
REFUSED_NOTICES_PER_MINUTE = 120
# Links of mails that one address may use in an hour.
ALARMS_PER_HOUR = 10
# Sign-ins for one gate that begin at one address.
GATE_SIGN_INS_PER_MINUTE = 300
# Checks of one provider that administrators may ask for.
CHECKS_PER_MINUTE = 6
# The weight of a refusal relative to a provider's failure, for which the address may not be to
# blame: only very many failures lock it out.
REFUSAL, FAILURE = 5, 1
PUT_BACK_SECONDS = 5


class Counts(MemoryStorage):
    """This process's counts, by wall-clock time. They are cleared when the clock is set back;
    otherwise counts in the future would lock people out until then."""

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

    Refusals ``in_flow`` come from browsers that began a flow here. Others are counted separately
    and limit only others: another site can cause them in its visitors' browsers.

    ``redis_url``: where instances count together; without it, each process counts for itself.
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
        self._codes = (
            RateLimitItemPerMinute(WRONG_CODES_PER_ACCOUNT, 10, namespace="codes_of_account"),
            RateLimitItemPerMinute(WRONG_CODES_PER_ADDRESS, 10, namespace="codes_of_address"),
        )
        self._app_failures = RateLimitItemPerMinute(
            APP_FAILURES_PER_MINUTE, namespace="app_failures"
        )
        self._begun = {
            "push": RateLimitItemPerMinute(PUSHES_PER_MINUTE, namespace="pushes"),
            "gate": RateLimitItemPerMinute(GATE_SIGN_INS_PER_MINUTE, namespace="gates"),
            "device": RateLimitItemPerMinute(DEVICES_PER_TEN_MINUTES, 10, namespace="devices"),
        }
        self._actions = RateLimitItemPerMinute(ACTIONS_PER_MINUTE, namespace="actions")
        self._notices = RateLimitItemPerMinute(REFUSED_NOTICES_PER_MINUTE, namespace="notices")
        self._alarms = RateLimitItemPerHour(ALARMS_PER_HOUR, namespace="alarms")
        self._admin_acts = RateLimitItemPerMinute(ADMIN_ACTS_PER_MINUTE, namespace="admin_acts")
        self._checks = RateLimitItemPerMinute(CHECKS_PER_MINUTE, namespace="checks")

    def check_refusals(self, address: str, *, in_flow: bool = True) -> None:
        """Raise TooManyAttempts while an address is over its limit of refusals."""
        item = self._refusals[in_flow]
        if not self._limiter.test(item, network(address), cost=REFUSAL):
            self._refuse(item, network(address))

    def count_refusal(self, address: str, *, in_flow: bool = True, weight: int = REFUSAL) -> None:
        self._limiter.hit(self._refusals[in_flow], network(address), cost=weight)

    def count_action(self, user_id: str) -> None:
        """Count a change of an account. Raises TooManyAttempts if that is one too many."""
        if not self._limiter.hit(self._actions, user_id):
            self._refuse(self._actions, user_id)

    def count_admin_act(self, user_id: str) -> None:
        """Count an administrator's change. Raises TooManyAttempts if that is one too many."""
        if not self._limiter.hit(self._admin_acts, user_id):
            self._refuse(self._admin_acts, user_id)

    def count_check(self, provider: str) -> None:
        """Count a check of a provider. Raises TooManyAttempts if that is one too many."""
        if not self._limiter.hit(self._checks, provider):
            self._refuse(self._checks, provider)

    def check_notices(self, address: str) -> None:
        """Raise TooManyAttempts while an address sends too much that is refused."""
        if not self._limiter.test(self._notices, network(address)):
            self._refuse(self._notices, network(address))

    def count_refused_notice(self, address: str) -> None:
        self._limiter.hit(self._notices, network(address))

    def count_alarm(self, address: str) -> None:
        """Count the use of a mail's link. Raises TooManyAttempts if that is one too many."""
        if not self._limiter.hit(self._alarms, network(address)):
            self._refuse(self._alarms, network(address))

    def check_codes(self, user_id: str, address: str) -> None:
        """Raise TooManyAttempts while an account or an address tries too many codes."""
        for item, key in zip(self._codes, (user_id, network(address)), strict=True):
            if not self._limiter.test(item, key):
                self._refuse(item, key)

    def count_wrong_code(self, user_id: str, address: str) -> None:
        for item, key in zip(self._codes, (user_id, network(address)), strict=True):
            self._limiter.hit(item, key)

    def check_app(self, client_id: str, address: str) -> None:
        """Raise TooManyAttempts while an application fails too often from this address."""
        key = f"{client_id}:{network(address)}"
        if not self._limiter.test(self._app_failures, key):
            self._refuse(self._app_failures, key)

    def count_app_failure(self, client_id: str, address: str) -> None:
        self._limiter.hit(self._app_failures, f"{client_id}:{network(address)}")

    def count_begun(
        self, kind: Literal["push", "device", "gate"], app_name: str, address: str
    ) -> None:
        """Count what anybody may have stored for an application without a secret. Raises
        TooManyAttempts if that is one too many."""
        key = f"{app_name}:{network(address)}"
        if not self._limiter.hit(self._begun[kind], key):
            self._refuse(self._begun[kind], key)

    def shared_state(self) -> State | None:
        """Return whether instances count together now; None if they need not. Takes 0.3 s
        at most."""
        return self._shared.state() if self._shared else None

    def _refuse(self, item: RateLimitItem, key: str) -> None:
        reset = self._limiter.get_window_stats(item, key).reset_time
        raise TooManyAttempts(
            f"limit of {item.namespace}", wait_seconds=max(1, round(reset - time.time()))
        )
