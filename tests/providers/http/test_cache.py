"""Cached documents: read once by one thread, renewed, and served stale."""

import threading
import time
from collections.abc import Callable

import pytest

from errors import ProviderDown, ProviderError
from providers.http.cache import (
    COOL_DOWN_SECONDS,
    FAILURE_SECONDS,
    LIFETIME_SECONDS,
    RETRY_SECONDS,
    Cached,
)


class Afar:
    """A document that can fail, and counts its readers."""

    def __init__(self) -> None:
        self.failure: ProviderError | None = None
        self.reads = 0
        self.gate = threading.Event()
        self.gate.set()

    def read(self) -> str:
        self.reads += 1
        assert self.gate.wait(5)
        if self.failure:
            raise self.failure
        return f"copy {self.reads}"


def all_at_once(count: int, act: Callable[[], object], begun: Callable[[], None]) -> list[object]:
    """The result of each of this many threads; a ProviderError counts as a result."""
    got: list[object] = []

    def one() -> None:
        try:
            got.append(act())
        except ProviderError as error:
            got.append(error)

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    begun()
    for thread in threads:
        thread.join()
    return got


@pytest.mark.parametrize("failure", [None, ProviderDown("away", timed_out=True)], ids=repr)
def test_concurrent_readers_cause_one_request(failure):
    """When it fails, the others do not wait one after the other for the same failure."""
    afar = Afar()
    afar.failure = failure
    afar.gate.clear()
    got = all_at_once(10, Cached(afar.read).get, afar.gate.set)
    assert afar.reads == 1
    if failure is None:
        assert got == ["copy 1"] * 10
        return
    assert len({id(error) for error in got}) == 10, "a raised exception belongs to one thread"
    for error in got:
        assert isinstance(error, ProviderDown)
        assert (error.status, error.detail) == (504, "away")


def test_a_failure_is_remembered_briefly_and_then_retried(clock):
    afar = Afar()
    cached = Cached(afar.read)
    afar.failure = ProviderError("broken")
    for _ in range(3):
        with pytest.raises(ProviderError, match="broken"):
            cached.get()
    assert afar.reads == 1
    afar.failure = None
    clock.later(FAILURE_SECONDS)
    assert cached.get() == "copy 2"


@pytest.mark.usefixtures("clock")
def test_a_caller_who_cannot_come_back_does_not_share_an_earlier_failure():
    afar = Afar()
    cached = Cached(afar.read)
    afar.failure = ProviderError("broken")
    with pytest.raises(ProviderError, match="broken"):
        cached.get()
    afar.failure = None
    assert cached.insist() == "copy 2"


@pytest.mark.usefixtures("clock")
def test_a_caller_who_cannot_come_back_tries_twice():
    failures: list[ProviderError | None] = [ProviderError("broken"), None]

    def read() -> str:
        if failure := failures.pop(0):
            raise failure
        return "copy"

    assert Cached(read).insist() == "copy"
    assert failures == []


@pytest.mark.parametrize(
    "failure", [ProviderDown("slow", timed_out=True), ProviderDown("not asked", wait_seconds=5)]
)
def test_a_failure_that_took_long_or_asked_nobody_is_not_tried_again(failure):
    afar = Afar()
    afar.failure = failure
    with pytest.raises(ProviderDown):
        Cached(afar.read).insist()
    assert afar.reads == 1


def test_concurrent_callers_who_cannot_come_back_share_a_failure_that_happens_while_they_wait():
    afar = Afar()
    afar.failure = ProviderDown("away", timed_out=True)
    afar.gate.clear()
    got = all_at_once(10, Cached(afar.read).insist, afar.gate.set)
    assert len(got) == 10
    assert afar.reads < 10


def test_a_cached_copy_is_renewed_and_served_stale(clock):
    afar = Afar()
    cached = Cached(afar.read)
    assert [cached.get(), cached.get(), cached.renew()] == ["copy 1"] * 3
    clock.later(COOL_DOWN_SECONDS)
    assert [cached.renew(), cached.renew(), cached.get()] == ["copy 2"] * 3
    afar.failure = ProviderError("broken")
    clock.later(LIFETIME_SECONDS)
    assert [cached.get(), cached.get()] == ["copy 2"] * 2
    assert afar.reads == 3
    clock.later(RETRY_SECONDS)
    assert cached.get() == "copy 2"
    assert afar.reads == 4
    afar.failure = None
    clock.later(RETRY_SECONDS)
    assert cached.get() == "copy 5"


def test_readers_of_a_cached_copy_do_not_wait_for_its_renewal(clock):
    afar = Afar()
    cached = Cached(afar.read)
    cached.get()
    clock.later(COOL_DOWN_SECONDS)
    afar.gate.clear()
    renewing = threading.Thread(target=cached.renew)
    renewing.start()
    while afar.reads < 2:
        time.sleep(0.001)
    assert cached.get() == "copy 1"
    afar.gate.set()
    renewing.join()
    assert cached.get() == "copy 2"
