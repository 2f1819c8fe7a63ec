"""The program of docs/integrate/examples signs a person in from a terminal."""

import subprocess
import sys
from pathlib import Path

from tests.browser import Browser
from tests.eavesdropper import EAR
from tests.issuer.relying_party import App, allow
from tests.processes import ended
from tests.site import Site

PROGRAM = Path(__file__).parents[3] / "docs" / "integrate" / "examples" / "cli.py"


def test_the_program_of_the_docs_signs_in_by_loopback(site: Site, grace: Browser) -> None:
    app = App(site, "Terminal", "--public", "--redirect-uri", "http://127.0.0.1/cb")
    command = [sys.executable, str(PROGRAM), site.url, app.client_id]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={"BROWSER": "true", "PATH": "/bin:/usr/bin"}
    )
    with ended(running), running:
        assert running.stdout
        url = running.stdout.readline().removeprefix("Open ").strip()
        answer = allow(grace, grace.get(url)).location
        EAR.learn(answer)
        assert "Go back to the terminal" in grace.fetch(answer).text
        assert running.stdout.readline() == "Signed in as Grace Hopper.\n"
        assert running.wait(30) == 0
