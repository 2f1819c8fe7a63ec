"""Commands in processes of their own, as an operator's shell starts them.

One process imports the application; each command runs in a fork of it, with an environment and
files of its own, and through Flask's own entry point.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PROGRAM = """
import json, os, sys
import app, flask.cli

for line in sys.stdin:
    asked = json.loads(line)
    child = os.fork()
    if not child:
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    sys.exit()
for number, name in ((1, "stdout"), (2, "stderr")):
    os.dup2(os.open(asked[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOCTTY), number)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
os.environ.clear()
os.environ.update(asked["environ"])
sys.argv = ["flask", "--app", "app", *asked["words"]]
sys.exit(flask.cli.main())
"""


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


class Shell:
    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._folder = folder

    def run(self, *words: str, terminal: str | None = None, **variables: str) -> Done:
        """Run ``flask --app app …`` with these variables and no others; its stderr can be a
        terminal."""
        out, err = self._folder / "stdout", self._folder / "stderr"
        err.write_text("")
        asked = {"words": words, "environ": variables, "stdout": str(out)}
        asked["stderr"] = terminal or str(err)
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        return Done(status, out.read_text(), err.read_text())


@contextmanager
def running(folder: Path) -> Iterator[Shell]:
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env=clean,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Shell(process, folder)
        assert process.stdin
        process.stdin.close()
