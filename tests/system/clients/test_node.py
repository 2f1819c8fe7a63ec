"""npm openid-client and oauth4webapi sign people in through the site."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser import Browser
from tests.conftest import lack
from tests.eavesdropper import EAR
from tests.issuer.relying_party import App, allow
from tests.prepare import find
from tests.processes import ended
from tests.site import Site

HERE = Path(__file__).parent
PACKAGES = ("openid-client@6.9.0", "oauth4webapi@3.8.8")


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that runs the client, with its packages."""
    node, npm = find("node"), find("npm")
    if node is None or npm is None:
        lack("Node.js (apt-get install nodejs npm)")
    folder = tmp_path_factory.mktemp("node")
    command = [npm or "", "install", "--no-audit", "--no-fund", "--prefix", str(folder), *PACKAGES]
    if subprocess.run(command, capture_output=True, check=False, timeout=120).returncode:
        lack("npm's openid-client (the package registry does not answer)")
    shutil.copy(HERE / "openid_client.mjs", folder)
    return [node or "", str(folder / "openid_client.mjs")]


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
