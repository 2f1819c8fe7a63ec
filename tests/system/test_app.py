"""``python app.py``: what a newcomer meets."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.eavesdropper import EAR
from tests.processes import ended, free_port

ROOT = Path(__file__).parents[2]
START_SECONDS = 30
IS_LOGGED = re.compile(r"\d{4}-\d\d-\d\dT").match


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project in a folder of its own, whose name has a space; byte code comes along."""
    folder = tmp_path_factory.mktemp("clone") / "a path with a space"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns("instance", "tests", ".*"))
    return folder


@pytest.fixture
def clone(copied: Path) -> Path:
    """It, as nothing has ever been started in it."""
    shutil.rmtree(copied / "instance", ignore_errors=True)
    return copied


@pytest.fixture
def start(clone: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[str], str]]]:
    running: list[subprocess.Popen[str]] = []

    def run(**settings: str) -> tuple[subprocess.Popen[str], str]:
        """Start it; the process, and the first line that it prints and does not log."""
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        process = subprocess.Popen(
            [sys.executable, "app.py"],
            cwd=clone,
            env={**inherited, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running.append(process)
        assert process.stdout
        return process, next(line for line in process.stdout if not IS_LOGGED(line))

    yield run
    for process in running:
        process.kill()
        for line in process.communicate()[0].splitlines():
            EAR.hear(line)


def test_it_starts_in_demo_mode_with_nothing_configured_twice(start, clone):
    port = free_port()
    for _ in range(2):
        process, line = start(PORT=str(port))
        assert line.startswith(f"Quickstep is at http://localhost:{port} (demo mode")
        http = requests.Session()
        page = http.get(f"http://localhost:{port}/login", timeout=5)
        assert "Demo mode" in page.text
        begun = http.get(f"http://localhost:{port}/login/google", allow_redirects=False, timeout=5)
        chosen = http.post(begun.headers["Location"], data={"person": "ada"}, timeout=5)
        assert chosen.url == f"http://localhost:{port}/account"
        process.kill()
        process.wait()
    files = {path.name for path in (clone / "instance").iterdir()}
    assert {"secret_key", f"demo-{port + 1}.sqlite"} <= files
    assert "quickstep.sqlite" not in files


def test_a_command_acts_on_the_demo_that_runs(start, clone):
    """The two commands of the README, and the third of docs/integrate/apps.md."""
    port = free_port()
    start(PORT=str(port))
    back = "http://127.0.0.1:9/callback"
    command = ["-m", "flask", "--app", "app", "clients", "add", "Notes", "--redirect-uri", back]
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    added = subprocess.run(
        [sys.executable, *command, "--json"],
        cwd=clone,
        env={**inherited, "PORT": str(port)},
        capture_output=True,
        check=True,
    )
    client = json.loads(added.stdout)
    EAR.learn(client["client_secret"])
    query = {"client_id": client["client_id"], "redirect_uri": back, "response_type": "code"}
    query |= {"code_challenge": "E" * 43, "code_challenge_method": "S256", "scope": "openid"}
    page = requests.get(client["authorization_endpoint"], query, timeout=5)
    assert "Sign in to continue to <bdi>Notes</bdi>" in page.text


@pytest.mark.parametrize("mode", [{"DEMO": "1"}, {}], ids=["demo", "no demo"])
def test_create_app_brings_the_embedded_database_up(clone, mode):
    """As gunicorn's workers do, several at the same time; and once more, on the same files."""
    program = "from app import create_app; print(create_app().test_client().get('/readyz').text)"
    settings = {"PATH": os.environ["PATH"], "PORT": str(free_port()), **mode}
    for count in (2, 1):
        workers = [
            subprocess.Popen(
                [sys.executable, "-c", program], cwd=clone, env=settings, stdout=subprocess.PIPE
            )
            for _ in range(count)
        ]
        with ended(*workers):
            for worker in workers:
                said = worker.communicate(timeout=3 * START_SECONDS)[0]
                assert b"schema: ok" in said, said


def test_a_taken_port_is_told_in_one_line(start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process, line = start(PORT=str(port))
        assert line.startswith(f"Port {port} is in use. Stop what uses it, or choose another")
        assert process.wait(START_SECONDS) == 1


def test_faults_in_the_settings_are_told_and_nothing_starts(start):
    process, line = start(PORT="many", GOOGLE_CLIENT_ID="id")
    assert line == "Quickstep cannot start with these settings:\n"
    assert process.wait(START_SECONDS) == 1
    assert process.stdout
    rest = process.stdout.read()
    assert re.search(r"^  PORT: ", rest, re.MULTILINE)
    assert re.search(r"^  GOOGLE_CLIENT_SECRET: missing", rest, re.MULTILINE)


def test_with_a_provider_configured_there_is_no_demo(start):
    port = free_port()
    _process, line = start(PORT=str(port), GITHUB_CLIENT_ID="id", GITHUB_CLIENT_SECRET="secret")
    assert "demo" not in line
    page = requests.get(f"http://localhost:{port}/login", timeout=5)
    assert "Demo mode" not in page.text
    assert "Continue with GitHub" in page.text
    assert "Continue with Google" not in page.text


def test_a_public_server_without_providers_is_no_demo(start):
    """Demo mode cannot be reached by accident in production."""
    port = free_port()
    _process, line = start(
        PORT=str(port), PUBLIC_URL="https://login.example.org", SECRET_KEY="k" * 40
    )
    assert "demo" not in line
    page = requests.get(f"http://localhost:{port}/login", timeout=5)
    assert "Sign-in isn't set up yet" in page.text.replace("&#39;", "'")
    assert requests.get(f"http://localhost:{port}/login/google", timeout=5).status_code == 404


def test_what_is_made_up_is_not_even_loaded_where_people_are_real(tmp_path):
    program = """
import sys
from app import create_app
create_app()
print(sorted(name for name in sys.modules if name.startswith("simulator.")))
"""
    settings = {"SECRET_KEY": "k" * 40, "GOOGLE_CLIENT_ID": "x", "GOOGLE_CLIENT_SECRET": "y"}
    found = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": f"sqlite:///{tmp_path}/x", **settings},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert found.stdout.strip() == "[]"
