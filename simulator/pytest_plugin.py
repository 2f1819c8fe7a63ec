"""A pytest plugin: the look-alikes of one test, or of a whole run.

``pytest_plugins = ["simulator.pytest_plugin"]`` in the topmost conftest.py, where the package was
not installed by pip.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from simulator.server import Server, start


@pytest.fixture
def make_look_alikes() -> Iterator[Callable[..., Server]]:
    """Starts look-alikes for a site: ``make_look_alikes(public_url=site.url)``; see ``start``."""
    with ExitStack() as running:

        def make(port: int = 0, public_url: str = "", names: tuple[str, ...] = ()) -> Server:
            server = start(port, public_url, names)
            running.callback(server.stop)
            return server

        yield make


@pytest.fixture
def look_alikes(make_look_alikes: Callable[..., Server]) -> Server:
    """A server of one test: ``look_alikes.register("github", redirect_uri)``, then
    ``look_alikes.github.choose(authorization_url, "ada")``."""
    return make_look_alikes()


@pytest.fixture(scope="session")
def session_look_alikes() -> Iterator[Server]:
    """One for the whole run, for an app that is set up once. What tests register, order and see
    there adds up."""
    server = start()
    yield server
    server.stop()


@pytest.fixture
def plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets oauthlib (Flask-Dance) and Authlib speak http:// in one test, and oauthlib take scopes
    that are granted in other words, as Google's are."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("OAUTHLIB_RELAX_TOKEN_SCOPE", "1")
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
