"""Fixtures: a desk on each database."""

import pytest

from tests.accounts.desk import Desk


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request, make_site) -> Desk:
    return Desk(make_site(request.param))
