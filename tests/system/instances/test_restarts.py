"""Instances are replaced, keys changed and workers killed while people sign in."""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from simulator.people import PEOPLE, Person
from tests.browser import Browser
from tests.processes import until
from tests.site import SECRET_KEY
from tests.system.instances.cluster import Cluster, send_to

NEW_KEY = "another secret key for tests only and long enough"
CROWD = [f"person-{number}" for number in range(400)]


@pytest.fixture
def crowd(monkeypatch) -> list[str]:
    """Many people, each with an address of their own."""
    for key in CROWD:
        person = Person(key, key.title(), "One of many", email=f"{key}@crowd.example", username=key)
        monkeypatch.setitem(PEOPLE, key, person)
    return CROWD


class Load:
    """People who sign in, one after the other, on four lines at once, until it ends."""

    def __init__(self, cluster: Cluster, crowd: list[str]) -> None:
        self._cluster, self._names, self._lock = cluster, iter(crowd), threading.Lock()
        self._is_expired = threading.Event()
        # Who was told that they are signed in, by the id of their account; what went wrong.
        self.signed_in: dict[str, str] = {}
        self.lost: list[str] = []

    def run(self) -> None:
        while not self._is_expired.is_set():
            with self._lock:
                name = next(self._names, None)
            if name is None:
                return
            try:
                self._sign_in(name)
            except Exception as error:  # noqa: BLE001 (whatever it is, somebody is not signed in)
                self.lost.append(f"{name}: {error!r}")

    def _sign_in(self, name: str) -> None:
        browser = self._cluster.browser()
        page = browser.sign_in("google", name)
        if page.path != "/account" or page.status != 200:
            self.lost.append(f"{name}: {page!r}")
        me = browser.me()
        if me is None or me["name"] != name.title():
            self.lost.append(f"{name}: is {me}")
        else:
            self.signed_in[name] = me["id"]

    @contextmanager
    def going_on(self) -> Iterator[None]:
        with ThreadPoolExecutor(4) as pool:
            lines = [pool.submit(self.run) for _ in range(4)]
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
        rows = dict(tuple(row) for row in self._cluster.rows("SELECT id, name FROM users"))
        assert self.signed_in
        for name, user_id in self.signed_in.items():
            assert rows.get(user_id) == name.title()


def test_a_rolling_restart_loses_no_sign_in(cluster: Cluster, crowd):
    load = Load(cluster, crowd)
    before = cluster.browser()
    before.sign_in("google", "ada")
    with load.going_on():
        for instance in cluster.instances:
            instance.end()
            load.more()
            instance.start()
            instance.wait()
            load.more()
    assert load.lost == []
    load.check()
    assert before.me()


def begun(cluster: Cluster, instance: int) -> tuple[Browser, str]:
    """Somebody who is at the provider, and the callback that they will come with."""
    browser = cluster.browser(instance)
    return browser, browser.choose(browser.begin("github"), "linus")


def test_keys_change_without_a_stop(cluster: Cluster, crowd):
    """The new key is first made known everywhere, and used by all after that: in between, one
    instance seals what the other has to open (docs/scaling.md)."""
    load = Load(cluster, crowd)
    person = cluster.browser()
    person.sign_in("google", "ada")
    form = person.get("/account")
    at_provider = [begun(cluster, 0)]
    try:
        with load.going_on():
            for keys in ((SECRET_KEY, NEW_KEY), (NEW_KEY, SECRET_KEY)):
                cluster.keys(*keys)
                for number, instance in enumerate(cluster.instances):
                    instance.reload()
                    at_provider.append(begun(cluster, number))
        assert load.lost == []
        load.check()
        for number, (browser, callback) in enumerate(at_provider):
            send_to(browser, number % 2)
            assert browser.get(callback).path == "/account"
        assert person.me()
        assert person.post("/account/profile", form, name="Countess").status == 200
        assert (person.me() or {})["name"] == "Countess"
        # Then the old one is taken away; what was begun since does without it.
        late, callback = begun(cluster, 0)
        cluster.keys(NEW_KEY)
        for instance in cluster.instances:
            instance.reload()
        assert send_to(late, 1).get(callback).path == "/account"
        assert person.me()
    finally:
        cluster.keys(SECRET_KEY, NEW_KEY)
        for instance in cluster.instances:
            instance.reload()


def test_a_worker_that_is_killed_loses_no_account_that_anybody_was_told_of(cluster: Cluster, crowd):
    load = Load(cluster, crowd)
    with load.going_on():
        for instance in cluster.instances:
            killed = instance.workers()
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
            instance.wait()
            load.lost.clear()  # those who were under way are told to try again
            load.more()
    load.check()
    assert all(cluster.browser().sign_in("google", name).status == 200 for name in CROWD[:4])
