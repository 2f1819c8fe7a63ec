"""People for tests under load."""

import pytest

from simulator.people import PEOPLE
from tests.system.load import CROWD, one_of_many


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Many people at every fake provider, each with an address of their own."""
    for key in CROWD:
        monkeypatch.setitem(PEOPLE, key, one_of_many(key))
    return CROWD
