"""A clock that can be moved, for keys and metadata that are cached."""

import time


class Clock:
    """``later`` moves it forward."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def later(self, seconds: float) -> None:
        self._ahead += seconds

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead

    def time(self) -> float:
        return time.time()
