"""Workers that are killed while people sign in: what was acknowledged is there, nothing is half."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import requests

from simulator.people import PEOPLE
from tests.browser import Browser
from tests.processes import until
from tests.system.faults.served import Served

THREADS = 8
KILLS = 6
# Known to one provider each, so that nobody is asked whether two accounts are one.
CROWD = [("github", f"person-{number}") for number in range(400)]


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    for _provider, key in CROWD:
        person = replace(PEOPLE["ada"], key=key, email=f"{key}@crowd.example", username=key)
        monkeypatch.setitem(PEOPLE, key, person)
    return CROWD


def sign_in(served: Served, provider: str, person: str) -> Browser | None:
    """A browser that was told that it is signed in; None where nobody answered it."""
    browser = served.browser()
    try:
        callback = browser.choose(browser.begin(provider), person)
        answer = browser.fetch(callback)
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, AssertionError):
        return None
    is_in = answer.status == 302 and answer.location == "/account" and browser.cookie("session")
    return browser if is_in else None


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_workers_that_are_killed_while_people_sign_in(serve, database, crowd):
    served = serve(database, REFUSALS_PER_MINUTE="1000")
    people, lock = iter(crowd), threading.Lock()
    is_expired = threading.Event()
    acknowledged: list[tuple[str, Browser]] = []

    def come_and_go() -> None:
        while not is_expired.is_set():
            with lock:
                choice = next(people, None)
            if choice is None:
                return
            browser = sign_in(served, *choice)
            if browser is not None:
                acknowledged.append((choice[1], browser))

    with ThreadPoolExecutor(THREADS) as pool:
        coming = [pool.submit(come_and_go) for _ in range(THREADS)]
        for _ in range(KILLS):
            enough = len(acknowledged) + 5
            until(lambda: len(acknowledged) >= enough)  # noqa: B023 (asked before it changes)
            served.kill_worker()
        until(lambda: len(served.workers()) == 2)
        is_expired.set()
        for each in coming:
            each.result(30)
    # And it goes on.
    assert served.signed_in("google", "ada")
    served.assert_whole()
    assert len(acknowledged) >= 5 * KILLS
    for person, browser in acknowledged:
        me = browser.me()
        assert me, f"{person} was signed in, and is not"
        assert [row["email"] for row in me["identities"]] == [f"{person}@crowd.example"]
    served.assert_no_bug()
    if database == "sqlite":
        assert served.rows("PRAGMA integrity_check") == [("ok",)]
