"""crew.py: every job is done, once, by few threads."""

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from crew import Crew
from tests.processes import until


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads take turns after every few steps."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_no_job_is_lost_whose_thread_was_just_about_to_rest():
    crew = Crew(2)
    for _ in range(20_000):
        done = threading.Event()
        crew.submit(done.set)
        assert done.wait(10)
    crew.shutdown()


@pytest.mark.usefixtures("restless")
def test_a_crew_does_everything_it_was_given_and_then_ends():
    done: list[int] = []
    crew = Crew(3)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(10_000):
            pool.submit(crew.submit, lambda: done.append(threading.get_ident()))
    crew.shutdown()
    until(lambda: not [one for one in threading.enumerate() if one.name.startswith("request-")])
    assert len(done) == 10_000
    assert len(set(done)) <= 3
