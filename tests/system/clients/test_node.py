"""npm openid-client and oauth4webapi sign people in through the site."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser import Browser
from tests.eavesdropper import EAR
from tests.issuer.relying_party import App, allow
from tests.processes import ended
from tests.site import Site
from tests.system.clients.node import Node

HERE = Path(__file__).parent


@pytest.fixture
def program(node: Node, node_packages: Path, tmp_path: Path) -> list[str]:
    """The command that runs the client, with its packages."""
    (tmp_path / "node_modules").symlink_to(node_packages / "node_modules")
    shutil.copy(HERE / "openid_client.mjs", tmp_path)
    return [node.path, str(tmp_path / "openid_client.mjs")]


def test_openid_client_of_npm_signs_people_in(
    program: list[str], site: Site, grace: Browser
) -> None:
    app = App(site, "Notes")
    running = subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with ended(running), running:
        assert running.stdin
        assert running.stdout
        assert running.stderr

        def tell(**value: object) -> dict[str, object]:
            assert running.stdin
            assert running.stdout
            running.stdin.write(json.dumps(value) + "\n")
            running.stdin.flush()
            line = running.stdout.readline()
            assert line, running.stderr.read() if running.stderr else ""
            return dict(json.loads(line))

        begun = tell(
            issuer=site.url, id=app.client_id, secret=app.secret, redirect=app.redirect_uri
        )
        answer = allow(grace, grace.get(str(begun["url"]))).location
        EAR.learn(answer)
        done = tell(callback=answer)
    assert done == {
        "sub": grace.user_id,
        "email": "grace@navy.example",
        "strict": grace.user_id,
        "seen": True,
        "after": False,
    }
