"""Progress of long commands: one line on a terminal that is written over, and none in a pipe."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

CLEAR_LINE = "\r\x1b[K"


class Progress:
    """Says on stderr how far a command is, if a person watches. Stdout has only the result."""

    def __init__(self) -> None:
        self._is_watched = sys.stderr.isatty()

    def report(self, done: str, count: int = 0, total: int = 0) -> None:
        """Show what is being done: "tokens: 400 of 1,200", "events: 3,000", "reading"."""
        if not self._is_watched:
            return
        numbers = f": {count:,}" if count else ""
        end = f" of {total:,}" if total else ""
        sys.stderr.write(f"{CLEAR_LINE}{done}{numbers}{end} …")
        sys.stderr.flush()

    def clear(self) -> None:
        if self._is_watched:
            sys.stderr.write(CLEAR_LINE)
            sys.stderr.flush()


@contextmanager
def show_progress() -> Iterator[Progress]:
    """Show progress within the block, and leave no trace of it afterwards."""
    progress = Progress()
    try:
        yield progress
    finally:
        progress.clear()
