"""Sites with the administrators' API."""

import pytest

from tests.site import Site, Sites
from tests.views.api.admin.program import Program


@pytest.fixture
def site(make_site: Sites) -> Site:
    return make_site(ADMIN_API="on")


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest, make_site: Sites) -> Site:
    return make_site(str(request.param), ADMIN_API="on")


@pytest.fixture
def program(site: Site) -> Program:
    return Program(site)
