"""Fixtures: a site on either engine, an operator's shell."""

from collections.abc import Iterator

import pytest

from tests.commands.shell import Shell, running
from tests.site import Site, Sites


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest, make_site: Sites) -> Site:
    return make_site(str(request.param))


@pytest.fixture(scope="session")
def shell_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    with running(tmp_path_factory.mktemp("shell")) as shell:
        yield shell
