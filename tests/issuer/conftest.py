"""Fixtures: a site with one application, and a signed-in person."""

import pytest

from tests.browser import Browser
from tests.issuer.relying_party import App
from tests.site import Site, Sites


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest, make_site: Sites) -> Site:
    return make_site(str(request.param))


@pytest.fixture
def app(site: Site) -> App:
    return App(site)


@pytest.fixture
def grace(site: Site) -> Browser:
    """The browser of a signed-in person."""
    browser = site.browser()
    browser.sign_in("google", "grace")
    return browser
