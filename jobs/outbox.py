"""Attempts to work off a row of an outbox: each fails by itself, and none is repeated for ever."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from storage import now

log = structlog.get_logger()

GIVEN_UP_AFTER_DAYS = 14

End = TypeVar("End")


class Attempt(Generic[End]):
    """One attempt: how it ended, or which error it ended with.

    ``expected``: what the outside world may do to us. Any other error is a fault of ours: it is
    logged with its traceback, and has the same days until the row is given up, so that it neither
    stops the other rows nor stays for ever. A failing database is no fault of the row.
    """

    def __init__(
        self, send: Callable[[], End], written_at: datetime, expected: type[Exception], name: str
    ) -> None:
        self.end: End | None = None
        self.error: Exception | None = None
        try:
            self.end = send()
        except expected as error:
            self.error = error
        except SQLAlchemyError:
            raise
        except Exception as error:
            log.exception("outbox_failed", work=name)
            self.error = error
        is_old = written_at < now() - timedelta(days=GIVEN_UP_AFTER_DAYS)
        self.is_given_up = self.error is not None and is_old
