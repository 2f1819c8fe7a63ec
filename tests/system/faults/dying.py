"""The application as it is, in a worker that is killed at the moment that a test has chosen."""

import os
import signal
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import event

from app import create_app
from storage import db
from storage.transactions import in_transaction

# "before" or "after" the commit, and the path of the request; it counts once.
MOMENT = Path(os.environ["TEST_DEATH_FILE"])


class Dying:
    def __init__(self) -> None:
        self.inner: Any = create_app()
        self._request = threading.local()
        with self.inner.app_context():
            event.listen(db.engine, "commit", self._before_commit)

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        self._request.path = environ["PATH_INFO"]
        answer: Iterable[bytes] = self.inner(environ, start_response)
        self._die("after")
        return answer

    def _before_commit(self, _connection: Any) -> None:
        if in_transaction():
            self._die("before")

    def _die(self, when: str) -> None:
        path = getattr(self._request, "path", "")
        if MOMENT.exists() and MOMENT.read_text() == f"{when} {path}":
            MOMENT.unlink()
            os.kill(os.getpid(), signal.SIGKILL)


application = Dying()
