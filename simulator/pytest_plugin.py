"""A pytest plugin: fake providers for one test, or for a whole run.

Without a pip installation, put ``pytest_plugins = ["simulator.pytest_plugin"]`` into the topmost
conftest.py.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from simulator.server import Server, start


@pytest.fixture
def make_look_alikes() -> Iterator[Callable[..., Server]]:
    """Start fake providers for a site: ``make_look_alikes(public_url=site.url)``; see ``start``."""
    with ExitStack() as running:

        def make(port: int = 0, public_url: str = "", names: tuple[str, ...] = ()) -> Server:
            server = start(port, public_url, names)
            running.callback(server.stop)
            return server

        yield make


@pytest.fixture
def look_alikes(make_look_alikes: Callable[..., Server]) -> Server:
    """A server for one test: ``look_alikes.register("github", redirect_uri)``, then
    ``look_alikes.github.choose(authorization_url, "ada")``."""
    return make_look_alikes()


@pytest.fixture(scope="session")
def session_look_alikes() -> Iterator[Server]:
    """A server for the whole run, for an app that is set up once. Registrations and misbehaviours
    of all tests accumulate there."""
    server = start()
    yield server
    server.stop()


@pytest.fixture
def plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let oauthlib (Flask-Dance) and Authlib use http:// in one test, and let oauthlib accept
    scopes that are granted under other names, as Google's are."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("OAUTHLIB_RELAX_TOKEN_SCOPE", "1")
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
