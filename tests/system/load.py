"""People who sign in, ask who they are and sign out, while a test does harm to the servers."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol

from simulator.people import Person
from tests.browser import Browser
from tests.processes import until

CROWD = [f"person-{number}" for number in range(800)]
LINES = 4


def one_of_many(key: str) -> Person:
    """A person with an address of their own."""
    return Person(key, key.title(), "One of many", email=f"{key}@crowd.example", username=key)


class Served(Protocol):
    """A site as the load sees it."""

    def browser(self) -> Browser: ...

    def rows(self, sql: str) -> list[Any]: ...


class Load:
    """One visitor after the other, on four lines at a time, until it ends."""

    def __init__(self, site: Served, crowd: list[str]) -> None:
        self._site, self._names, self._lock = site, iter(crowd), threading.Lock()
        self._is_expired = threading.Event()
        # The accounts of those who were told that they are signed in; what went wrong.
        self.signed_in: dict[str, str] = {}
        self.lost: list[str] = []

    def run(self) -> None:
        while not self._is_expired.is_set():
            with self._lock:
                name = next(self._names, None)
            if name is None:
                return
            try:
                self._visit(name)
            except Exception as error:  # noqa: BLE001 (whatever it is, somebody lost a request)
                self.lost.append(f"{name}: {error!r}")

    def _visit(self, name: str) -> None:
        browser = self._site.browser()
        page = browser.sign_in("google", name)
        if page.path != "/account" or page.status != 200:
            self.lost.append(f"{name}: {page!r}")
        me = browser.me()
        if me is None or me["name"] != name.title():
            self.lost.append(f"{name}: is {me}")
            return
        self.signed_in[name] = me["id"]
        page = browser.sign_out()
        if page.status != 200 or browser.me() is not None:
            self.lost.append(f"{name}: not signed out: {page!r}")

    @contextmanager
    def going_on(self) -> Iterator[None]:
        with ThreadPoolExecutor(LINES) as pool:
            lines = [pool.submit(self.run) for _ in range(LINES)]
            try:
                self.more()
                yield
                self.more()
            finally:
                self._is_expired.set()
        for line in lines:
            line.result()

    def more(self, count: int = 4) -> None:
        """Wait until some more have signed in."""
        wanted = len(self.signed_in) + count
        until(lambda: self.lost or len(self.signed_in) >= wanted, "nobody signs in any more")

    def check(self) -> None:
        """Every account that somebody was told of is there."""
        rows = dict(tuple(row) for row in self._site.rows("SELECT id, name FROM users"))
        assert self.signed_in
        for name, user_id in self.signed_in.items():
            assert rows.get(user_id) == name.title()
