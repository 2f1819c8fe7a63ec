"""Progress of long commands: for whoever watches a terminal, and for nobody else."""

import os
import pty
import select

import pytest

from tests.commands.console import run
from tests.commands.shell import Shell
from tests.commands.test_users import id_of, sign_in
from tests.site import SECRET_KEY, Site

COMMANDS = {
    "keys rotate": "tokens: 1 of 1 …",
    "purge": "sessions: 1 …",
    "users export": "reading the account …",
}


@pytest.fixture
def grace(site) -> str:
    """A person with an expired session, and a token that an older key has sealed; her id."""
    browser = sign_in(site, "grace")
    user_id = id_of(browser)
    site.app.extensions["jobs"].stop()
    return str(user_id)


def words_of(command: str, user_id: str) -> list[str]:
    return [*command.split(), *([user_id] if command == "users export" else [])]


def run_on_terminal(shell: Shell, site: Site, words: list[str], **settings: str) -> tuple[str, str]:
    """Run a command whose stderr is a terminal; returns stdout and what the terminal was sent."""
    ours, theirs = pty.openpty()
    url = site.app.config["SQLALCHEMY_DATABASE_URI"]
    variables = {"SECRET_KEY": SECRET_KEY, "DATABASE_URL": url, "LOG_LEVEL": "ERROR", **settings}
    done = shell.run(*words, terminal=os.ttyname(theirs), **(dict(os.environ) | variables))
    os.close(theirs)
    seen = b""
    while select.select([ours], [], [], 0)[0]:
        try:
            chunk = os.read(ours, 4096)
        except OSError:  # the other side is closed
            break
        if not chunk:
            break
        seen += chunk
    os.close(ours)
    assert done.returncode == 0, (done, seen)
    return done.stdout, seen.decode()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_long_command_shows_progress_on_a_terminal(shell_process, site, grace, command):
    site.execute("UPDATE sessions SET last_seen_at = '2020-01-01', created_at = '2020-01-01'")
    keys = {"TOKEN_ENCRYPTION_KEYS": "a new key that is also long enough"}
    stdout, seen = run_on_terminal(shell_process, site, words_of(command, grace), **keys)
    assert COMMANDS[command] in seen
    assert seen.endswith("\r\x1b[K"), "the line is wiped in the end"
    assert "…" not in stdout
    assert "\x1b" not in stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_a_long_command_shows_no_progress_in_a_pipe(site, grace, command):
    site.execute("UPDATE sessions SET last_seen_at = '2020-01-01', created_at = '2020-01-01'")
    result = run(site, *words_of(command, grace))
    assert result.exit_code == 0
    assert "…" not in result.stderr
    assert "\x1b" not in result.output
