"""A real Chromium, and visitors in it whose browsers must find nothing to object to."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.missing import lack
from tests.prepare import chromium as find_chromium
from tests.site import Site, Sites
from tests.system.browser.visitor import TIMEOUT_MILLISECONDS, Visitor

FLAGS = [
    "--no-sandbox",
    # One process for all pages: half the time. What a site may do does not depend on it.
    "--disable-site-isolation-trials",
    "--renderer-process-limit=1",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Opens a site as somebody new; JavaScript and whatever else a browser can be set to.
Come = Callable[..., Visitor]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    program = find_chromium()
    if program is None:
        lack("Chromium (apt-get install chromium)")
    expect.set_options(timeout=TIMEOUT_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def come_to(chromium: Browser, make_site: Sites) -> Iterator[Come]:
    """Somebody new in front of a given site. In the end, no browser may have complained.

    Takes ``make_site`` so that visitors leave before the sites stop.
    """
    visitors: list[Visitor] = []

    def come_to(site: Site, **options: Any) -> Visitor:
        visitors.append(Visitor(chromium, site, **options))
        return visitors[-1]

    yield come_to
    for visitor in visitors:
        visitor.leave()
    assert [complaint for visitor in visitors for complaint in visitor.complaints] == []


@pytest.fixture
def come(come_to: Come, site: Site) -> Come:
    """Somebody new in front of the usual site."""
    return lambda **options: come_to(site, **options)


@pytest.fixture(params=[True, False], ids=["javascript", "no javascript"])
def javascript(request: pytest.FixtureRequest) -> bool:
    """A test that takes this runs twice: every page must work without JavaScript."""
    return bool(request.param)
