"""The time as providers/jwt.py sees it, for what is kept for a while."""

import time


class Clock:
    """``later`` moves it on."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def later(self, seconds: float) -> None:
        self._ahead += seconds

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead

    def time(self) -> float:
        return time.time()
