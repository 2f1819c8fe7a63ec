"""The workers of a run share the work of rewriting assertions: each begins with other files.

pytest writes rewritten files as byte code. Workers that collect at the same time would each rewrite
every file, in half of the time that collecting takes.
"""

import importlib
import sys
from contextlib import suppress
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Import this worker's share of all test files, if all are to be run."""
    worker = getattr(session.config, "workerinput", None)
    if worker is None or session.config.args != ["tests"] or sys.dont_write_bytecode:
        return
    number = int(worker["workerid"].removeprefix("gw"))
    for path in sorted(TESTS.rglob("test_*.py"))[number :: worker["workercount"]]:
        with suppress(Exception, pytest.skip.Exception):  # the collection reports it
            importlib.import_module(".".join(path.relative_to(TESTS.parent).with_suffix("").parts))
