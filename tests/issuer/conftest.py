"""Fixtures: a site with one application, and a signed-in person; two instances for a module."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from simulator.server import Server, start
from tests.browser import Browser
from tests.issuer.applications import Applications
from tests.issuer.pair import Pair, stop
from tests.issuer.relying_party import App
from tests.issuer.stage import Stage, set_up
from tests.site import Site, Sites


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest, make_site: Sites) -> Site:
    return make_site(str(request.param))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_pair(
    request: pytest.FixtureRequest, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    def postgres() -> str:
        make: Callable[[], str] = request.getfixturevalue("postgres")
        return make()

    def make_look_alikes(public_url: str = "") -> Server:
        server = start(public_url=public_url)
        running.callback(server.stop)
        return server

    with ExitStack() as running:
        folder = tmp_path_factory.mktemp("pair")
        sites = Sites(folder, template, postgres, make_look_alikes)
        running.callback(sites.stop)
        pair = Pair(sites(str(request.param), REFUSALS_PER_MINUTE="10000"))
        running.callback(stop, pair.second)
        yield pair


@pytest.fixture
def pair(shared_pair: Pair) -> Pair:
    """Two instances of one site, with nobody in it."""
    shared_pair.empty()
    return shared_pair


@pytest.fixture
def stage(pair: Pair) -> Stage:
    return set_up(pair)


@pytest.fixture
def app(site: Site) -> App:
    return App(site)


@pytest.fixture
def grace(site: Site) -> Browser:
    """The browser of a signed-in person."""
    browser = site.browser()
    browser.sign_in("google", "grace")
    return browser


@pytest.fixture
def applications() -> Iterator[Applications]:
    there = Applications()
    yield there
    there.stop()
