"""The application as it is, in a process whose time of day a test moves."""

import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import time_machine

from app import create_app

# How many seconds ahead: a file, looked at with each request.
AHEAD = Path(os.environ["TEST_CLOCK_FILE"])
_real_time = time.time


class Moved:
    def __init__(self) -> None:
        self.inner: Any = create_app()
        self._lock = threading.Lock()
        self._ahead = 0.0
        self._travel: Any = None

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        self._look()
        answer: Iterable[bytes] = self.inner(environ, start_response)
        return answer

    def _look(self) -> None:
        with self._lock:
            ahead = float(AHEAD.read_text())
            if ahead == self._ahead:
                return
            if self._travel:
                self._travel.stop()
            self._ahead, self._travel = ahead, None
            if ahead:
                self._travel = time_machine.travel(_real_time() + ahead, tick=True)
                self._travel.start()


application = Moved()
