"""The command line in an operator's shell: exit status, and only the result on stdout."""

import json
import os
from collections.abc import Callable

import pytest

from tests.commands.shell import Done
from tests.site import SECRET_KEY


@pytest.fixture
def shell(shell_process, template, tmp_path) -> Callable[..., Done]:
    """Runs ``flask --app app …`` in a process of its own."""
    path = tmp_path / "quickstep.sqlite"
    path.write_bytes(template.read_bytes())

    def run(*words: str, **settings: str) -> Done:
        variables = {
            "SECRET_KEY": SECRET_KEY,
            "DATABASE_URL": f"sqlite:///{path}",
            "GITHUB_CLIENT_ID": "made-up",
            "GITHUB_CLIENT_SECRET": "made-up",
            "GITHUB_TOKEN_URL": "http://127.0.0.1:9/token",
            "PUBLIC_URL": "http://localhost:9",
            "LOG_LEVEL": "DEBUG",
            **settings,
        }
        clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        done: Done = shell_process.run(*words, **clean, **variables)
        return done

    return run


def test_stdout_is_one_document_and_nothing_else(shell):
    for words, status in (
        (["users", "list"], 0),
        (["keys", "rotate"], 0),
        (["sessions", "revoke", "--all", "--yes"], 0),
        (["purge"], 0),
        (["providers", "check"], 1),
    ):
        done = shell(*words, "--json")
        assert done.returncode == status, done.stderr
        assert isinstance(json.loads(done.stdout), dict)
        assert "Traceback" not in done.stderr


def test_errors_go_to_stderr_with_an_exit_status(shell, tmp_path):
    for words, settings, status, said in (
        (["users", "show", "nobody@example.org", "--json"], {}, 1, "There is no such user."),
        (["users", "show", "nobody"], {}, 2, "neither an id"),
        (["users", "list", "--limit", "many"], {}, 2, "--limit"),
        (
            ["users", "list"],
            {"DATABASE_URL": f"sqlite:///{tmp_path}/none.sqlite"},
            1,
            "There is no database file yet. Run: flask --app app db upgrade",
        ),
    ):
        done = shell(*words, **settings)
        assert (done.returncode, done.stdout) == (status, ""), done
        assert said in done.stderr
        assert "Traceback" not in done.stderr
