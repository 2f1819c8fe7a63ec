"""Fixtures: a site on either engine."""

import pytest

from tests.site import Site, Sites


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest, make_site: Sites) -> Site:
    return make_site(str(request.param))
