"""Fixtures: a signed-in person, and the programs of docs/integrate."""

import pytest

from tests.browser import Browser
from tests.site import Site
from tests.system.clients.node import node, node_packages
from tests.system.clients.programs import python_packages, serve

__all__ = ["grace", "node", "node_packages", "python_packages", "serve"]


@pytest.fixture
def grace(site: Site) -> Browser:
    browser = site.browser()
    browser.sign_in("google", "grace")
    return browser
