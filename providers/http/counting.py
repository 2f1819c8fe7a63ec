"""Counts the calls that a piece of work sends, for work that pauses after each of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Calls:
    """The calls of one piece of work. Calls that an open circuit holds back do not count."""

    sent: int = 0


_current: ContextVar[Calls | None] = ContextVar("counted_calls", default=None)


@contextmanager
def counting() -> Iterator[Calls]:
    """Count the calls of this thread."""
    calls = Calls()
    mark = _current.set(calls)
    try:
        yield calls
    finally:
        _current.reset(mark)


def note_call() -> None:
    if calls := _current.get():
        calls.sent += 1
