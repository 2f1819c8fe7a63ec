"""The other worker processes of this server: told of what they had better be ready for.

A browser that is sent to a provider comes back to any of them. What is told is a name, by its place
in memory that all share; whoever listens is woken by a bell of its own, and looks which places are
new. Nobody waits, and what is missed costs a callback the time of a new connection, no more.

gunicorn.conf.py makes it before there are workers. Where there is none (one process, or no Linux)
nobody is told.
"""

import mmap
import os
import struct
import time
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress

# Two names at one place are both taken to be meant.
PLACES = 64
# Workers at a time, old ones of a reload with them; two with one bell hear it by turns.
BELLS = 32
_TIME = struct.Struct("d")


class Siblings:
    """Made by the master; each worker ``join``s, and ``hear``s when its bell can be read."""

    def __init__(self) -> None:
        self._told_at = mmap.mmap(-1, PLACES * _TIME.size)
        flags = os.EFD_NONBLOCK | os.EFD_CLOEXEC
        self._bells = [os.eventfd(0, flags) for _ in range(BELLS)]
        self.bell = self._bells[0]
        self._heard_at = [0.0] * PLACES
        self._listener: Callable[[str], object] = lambda _name: None
        self._names: dict[int, list[str]] = {}

    def join(self, number: int) -> None:
        """Be the worker of this number, from now on: what was told before is not news to it."""
        self.bell = self._bells[number % BELLS]
        self._heard_at = [time.monotonic()] * PLACES

    def listen(self, names: Iterable[str], listener: Callable[[str], object]) -> None:
        """Have ``listener`` called with each of these names that another worker tells. It is
        called by the main loop, so it must not wait for anything."""
        self._names = {}
        for name in names:
            self._names.setdefault(_place(name), []).append(name)
        self._listener = listener

    def tell(self, name: str) -> None:
        """Tell all the others."""
        place, moment = _place(name), time.monotonic()
        self._heard_at[place] = moment
        _TIME.pack_into(self._told_at, place * _TIME.size, moment)
        for bell in self._bells:
            with suppress(BlockingIOError):  # it has been ringing for long
                os.eventfd_write(bell, 1)

    def hear(self) -> None:
        """Pass on what is new. Called when ``bell`` can be read."""
        with suppress(BlockingIOError):
            os.eventfd_read(self.bell)
        for place, names in self._names.items():
            (told_at,) = _TIME.unpack_from(self._told_at, place * _TIME.size)
            if told_at > self._heard_at[place]:
                self._heard_at[place] = told_at
                for name in names:
                    self._listener(name)


# Of this process; None where it has none.
mine: Siblings | None = None


def make() -> None:
    """In the master, once."""
    global mine  # noqa: PLW0603 (there is one server in a process)
    if mine is None and hasattr(os, "eventfd"):
        mine = Siblings()


def tell(name: str) -> None:
    if mine:
        mine.tell(name)


def listen(names: Iterable[str], listener: Callable[[str], object]) -> None:
    if mine:
        mine.listen(names, listener)


def _place(name: str) -> int:
    return zlib.crc32(name.encode()) % PLACES
