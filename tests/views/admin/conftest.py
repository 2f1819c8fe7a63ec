"""An administrator, and the people whom they look after."""

import pytest

from tests.browser import Browser
from tests.commands.console import answer
from tests.commands.test_users import id_of, sign_in
from tests.site import Site, Sites


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest, make_site: Sites) -> Site:
    return make_site(str(request.param))


def make_admin(site: Site, person: str = "ada") -> Browser:
    """A browser of somebody whom a command made an administrator."""
    browser = sign_in(site, person)
    answer(site, "users", "admin", id_of(browser))
    return browser


@pytest.fixture
def admin(site: Site) -> Browser:
    return make_admin(site)
