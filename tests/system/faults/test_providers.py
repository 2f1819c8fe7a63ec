"""A provider in trouble while others are well: nobody else notices."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tests.browser import Page
from tests.processes import until
from tests.system.faults.served import BOUND_SECONDS, Served, at_once, timed

# More than the two workers have threads.
CROWD = 24
# What comes at once, but is not what it should be.
LIES = (
    "hang_up",
    "html",
    "null",
    "list",
    "huge",
    "bomb",
    "broken_gzip",
    "deep",
    "status_500",
    "error_as_200",
    "token_number",
)


@contextmanager
def ordinary_life(served: Served) -> Iterator[list[str]]:
    """People who sign in elsewhere and people who read their pages, over and over: those who were
    disturbed are in the list."""
    disturbed: list[str] = []
    is_expired = threading.Event()
    turns = [0, 0, 0]

    def live(number: int) -> None:
        provider, person = [("google", "ada"), ("facebook", "grace"), ("google", "linus")][number]
        browser = served.signed_in(provider, person)
        while not is_expired.is_set():
            pages = [timed(lambda: browser.get("/account"))]
            pages.append(timed(lambda: browser.get("/login?switch=1")))
            if number != 2:
                pages.append(timed(lambda: browser.sign_in(provider, person)))
            disturbed.extend(str(page) for page in pages if page.status != 200 or page.alert)
            turns[number] += 1
            is_expired.wait(0.05)

    with ThreadPoolExecutor(3) as pool:
        lives = [pool.submit(live, number) for number in range(3)]
        try:
            yield disturbed
        finally:
            is_expired.set()
        for each in lives:
            each.result(BOUND_SECONDS)
    assert min(turns) > 2


def assert_friendly(page: Page) -> None:
    assert page.status in (502, 504), page
    assert page.alert in ("GitHub isn't answering", "GitHub couldn't complete the sign-in"), page
    assert "Continue with Google" in page.buttons


def test_a_provider_that_hangs_drips_lies_and_comes_back(serve):
    served = serve(elsewhere=("github",), REFUSALS_PER_MINUTE="1000")
    github = served.simulator.github
    with ThreadPoolExecutor(CROWD) as pool, ordinary_life(served) as disturbed:
        for lie in LIES:
            github.answers["token"] = lie
            for end in at_once(pool, [served.callback("github", "leila") for _ in range(2)]):
                assert_friendly(end.result())
        for how in ("slow", "drip"):
            github.answers.pop("token", None)
            people = [served.callback("github", "leila") for _ in range(CROWD)]
            github.answers["token"] = how
            pages = [end.result() for end in at_once(pool, people)]
            for page in pages:
                assert_friendly(page)
            # Most were not kept waiting: they are told when to come again.
            assert sum("Retry-After" in page.headers for page in pages) >= CROWD // 3
        github.answers.clear()
        until(lambda: served.browser().sign_in("github", "leila").path == "/account", seconds=60)
    assert disturbed == []
    served.assert_whole()
    served.assert_no_bug()
    away, back = served.lines("provider_away"), served.lines("provider_back")
    assert 1 <= len(away) <= 2 * len(served.workers())
    assert len(back) >= 1
    assert {line["level"] for line in away} == {"warning"}
