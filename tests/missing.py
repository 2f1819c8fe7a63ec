"""What a machine lacks: tests for it are skipped, and endings.py lists it."""

import os
from typing import NoReturn

import pytest

LACKS = "this machine lacks "


def lack(what: str) -> NoReturn:
    """Skip a test because this machine has no ``what``; with CI=true that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(LACKS + what)
    pytest.skip(LACKS + what)
