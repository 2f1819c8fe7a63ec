"""Threads that answer requests. The one that was busy last is woken, and no other."""

import threading
from collections import deque
from collections.abc import Callable

Job = Callable[[], None]


class _Hand(threading.Thread):
    """One thread, which is told when there is something to do."""

    def __init__(self, crew: "Crew", job: Job, number: int) -> None:
        # Who is to stop lets requests end first; after that nobody waits for a thread.
        super().__init__(name=f"request-{number}", daemon=True)
        self._crew = crew
        self._job: Job | None = job
        self._told = threading.Lock()
        self._told.acquire()

    def tell(self, job: Job | None) -> None:
        """Do this now, or end. Only for one who is idle."""
        self._job = job
        self._told.release()

    def run(self) -> None:
        job = self._take()
        while job:
            job()
            job = self._crew.next_job(self)
            if job is None:
                self._told.acquire()
                job = self._take()

    def _take(self) -> Job | None:
        job, self._job = self._job, None
        return job


class Crew:
    """Up to ``size`` threads. Jobs beyond that wait their turn; none may raise."""

    def __init__(self, size: int) -> None:
        self._size, self._number = size, 0
        self._idle: list[_Hand] = []
        self._waiting: deque[Job] = deque()
        self._is_over = False
        # A signal may come in the middle of submit, and shut this down from the same thread.
        self._lock = threading.RLock()

    def submit(self, job: Job) -> None:
        with self._lock:
            if self._idle:
                hand = self._idle.pop()
            elif self._number < self._size:
                self._number += 1
                _Hand(self, job, self._number).start()
                return
            else:
                self._waiting.append(job)
                return
        hand.tell(job)

    def next_job(self, hand: _Hand) -> Job | None:
        """What waits; where nothing does, this thread is idle from now on."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            if self._is_over:
                hand.tell(None)
            else:
                self._idle.append(hand)
            return None

    def shutdown(self, wait: bool = False) -> None:  # noqa: ARG002 (gunicorn's call)
        """Threads end when what was submitted is done."""
        with self._lock:
            self._is_over = True
            idle, self._idle = self._idle, []
        for hand in idle:
            hand.tell(None)
