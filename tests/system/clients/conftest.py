"""Fixtures: a signed-in person."""

import pytest

from tests.browser import Browser
from tests.site import Site


@pytest.fixture
def grace(site: Site) -> Browser:
    browser = site.browser()
    browser.sign_in("google", "grace")
    return browser
