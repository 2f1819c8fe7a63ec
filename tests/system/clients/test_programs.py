"""Client libraries that run as programs of their own sign people in through the site: openid-client
and oauth4webapi of npm, express-openid-connect, pyoidc, requests_oauth2client."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.browser import Browser
from tests.eavesdropper import EAR
from tests.issuer.keyed import Keyed, make_key, write
from tests.issuer.relying_party import App, allow
from tests.processes import ended, free_port
from tests.site import Site
from tests.system.clients.node import Node
from tests.system.clients.programs import Serve
from tests.system.clients.test_libraries import follow

HERE = Path(__file__).parent
Tell = Callable[..., dict[str, Any]]
MANY_GRANTS = ("--grant", "authorization_code", "--grant", "refresh_token")


@contextmanager
def talk(*command: str, **environ: str) -> Iterator[Tell]:
    """Run a program that reads and writes lines of JSON; yield what sends one and returns the
    next."""
    running = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environ,
    )

    def tell(**value: object) -> dict[str, Any]:
        assert running.stdin
        assert running.stdout
        assert running.stderr
        running.stdin.write(json.dumps(value) + "\n")
        running.stdin.flush()
        line = running.stdout.readline()
        assert line, running.stderr.read()
        return dict(json.loads(line))

    with ended(running), running:
        yield tell


def sign_in(tell: Tell, app: App, browser: Browser, **more: Any) -> dict[str, Any]:
    """Let a program sign a person in; return what it has learned."""
    begun = tell(
        issuer=app.site.url, id=app.client_id, secret=app.secret, redirect=app.redirect_uri, **more
    )
    answer = allow(browser, browser.get(begun["url"])).location
    EAR.learn(answer)
    return tell(callback=answer)


@pytest.fixture
def program(node: Node, node_packages: Path, tmp_path: Path) -> list[str]:
    """The command that runs openid-client, with its packages."""
    (tmp_path / "node_modules").symlink_to(node_packages / "node_modules")
    shutil.copy(HERE / "openid_client.mjs", tmp_path)
    return [node.path, str(tmp_path / "openid_client.mjs")]


@pytest.fixture
def key_app(site: Site, tmp_path: Path) -> Keyed:
    """An application that authenticates by its key."""
    key = make_key()
    return Keyed(site, key, "--jwks", write(tmp_path / "jwks.json", key), *MANY_GRANTS)


def test_openid_client_of_npm_signs_people_in(
    program: list[str], site: Site, grace: Browser
) -> None:
    with talk(*program) as tell:
        done = sign_in(tell, App(site, "Notes"), grace)
    assert done == all_went_well(grace)


def test_openid_client_of_npm_authenticates_by_its_key(
    program: list[str], key_app: Keyed, grace: Browser
) -> None:
    with talk(*program) as tell:
        done = sign_in(tell, key_app, grace, key=private(key_app))
    assert done == all_went_well(grace)


def all_went_well(person: Browser) -> dict[str, Any]:
    return {
        "sub": person.user_id,
        "email": "grace@navy.example",
        "strict": person.user_id,
        "seen": True,
        "after": False,
    }


def private(app: Keyed) -> dict[str, Any]:
    return {**app.key.as_dict(private=True), "kid": app.key.kid, "alg": "ES256"}


def test_pyoidc_signs_people_in(site: Site, grace: Browser, python_packages: Any) -> None:
    """It knows no PKCE unless it is told, as many older clients."""
    app = App(site, "Old", "--no-pkce")
    path = str(python_packages("pyoidc"))
    with talk(sys.executable, str(HERE / "pyoidc_client.py"), PYTHONPATH=path) as tell:
        done = sign_in(tell, app, grace)
    assert done == {"sub": grace.user_id, "email": "grace@navy.example"}


def test_requests_oauth2client_authenticates_by_its_key(
    key_app: Keyed, grace: Browser, python_packages: Any
) -> None:
    path = str(python_packages("requests_oauth2client"))
    with talk(sys.executable, str(HERE / "requests_client.py"), PYTHONPATH=path) as tell:
        done = sign_in(tell, key_app, grace, key=private(key_app))
    assert done == {"sub": grace.user_id, "seen": True, "after": False}


def test_express_openid_connect_signs_people_in(
    site: Site, grace: Browser, serve: Serve, tmp_path: Path
) -> None:
    port = free_port()
    app = App(site, "Notes", "--redirect-uri", f"http://localhost:{port}/callback")
    shutil.copy(HERE / "express_openid_connect.mjs", tmp_path)
    settings = {"ISSUER": site.url, "CLIENT_ID": app.client_id, "CLIENT_SECRET": app.secret or ""}
    serve("express", "express_openid_connect", port, **settings)
    page = follow(grace, f"http://localhost:{port}/")
    assert page.html == "Hello grace@navy.example"
