"""Fixtures: a receiver of webhooks, and a site that may send to it."""

from collections.abc import Iterator

import pytest

from tests.notices.receivers import Receiver
from tests.site import Site, Sites


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.stop()


@pytest.fixture
def private_site(make_site: Sites) -> Site:
    """A site that may send to this machine."""
    return make_site(WEBHOOK_ALLOW_PRIVATE="1")
