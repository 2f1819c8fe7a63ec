"""Fixtures: the programs of the pages of docs/integrate, served on loopback."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from tests.processes import ended, until
from tests.system.clients import pages
from tests.system.clients.node import once

FLASK = (
    "import importlib, sys; from werkzeug.serving import run_simple; "
    "run_simple('127.0.0.1', int(sys.argv[2]), importlib.import_module(sys.argv[1]).app)"
)
# What each kind of program is started with; {name}, {port} and {node} are
# filled in.
COMMANDS = {
    "flask": [sys.executable, "-c", FLASK, "{name}", "{port}"],
    "fastapi": [sys.executable, "-m", "uvicorn", "{name}:app", "--port", "{port}"],
    "django": [sys.executable, "manage.py", "runserver", "--noreload", "{port}"],
    "express": ["{node}", "{name}.mjs"],
}
Serve = Callable[..., None]


@pytest.fixture(scope="session")
def python_packages(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of what a page needs, installed once."""
    return lambda name: once(
        tmp_path_factory, name, lambda folder: pages.install_python(name, folder)
    )


@pytest.fixture
def serve(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Serve]:
    """``serve("flask", "notes", port, ISSUER=…)`` runs a program that stands in tmp_path, or in
    another folder."""
    with ExitStack() as running:

        def start(
            kind: str, name: str, port: int, folder: Path = tmp_path, **settings: str
        ) -> None:
            path, node = str(folder), ""
            if kind in pages.PYTHON_PACKAGES:
                path += f":{request.getfixturevalue('python_packages')(kind)}"
            if kind == "express":
                node = request.getfixturevalue("node").path
                modules = request.getfixturevalue("node_packages") / "node_modules"
                (folder / "node_modules").symlink_to(modules)
            command = [each.format(name=name, port=port, node=node) for each in COMMANDS[kind]]
            usual = {"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": path, "PORT": str(port)}
            log = running.enter_context((folder / "log").open("w"))
            process = subprocess.Popen(
                command, cwd=folder, env=usual | settings, stdout=log, stderr=log
            )
            running.enter_context(ended(process))
            until(lambda: answers(port, process), (folder / "log").read_text)

        yield start


def answers(port: int, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None, "the program has ended"
    try:
        requests.get(f"http://127.0.0.1:{port}/", timeout=10, allow_redirects=False)
    except requests.ConnectionError:
        return False
    return True
