"""An operator at the command line of a site under test."""

import json
from typing import Any

from click.testing import Result

from tests.site import Site


def run(site: Site, *words: str, typed: str = "") -> Result:
    """Run a command in the process of the test; ``stdout`` and ``stderr`` are kept apart."""
    result: Result = site.app.test_cli_runner().invoke(args=list(words), input=typed)
    # No command ever ends with a traceback.
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def answer(site: Site, *words: str) -> Any:
    """The JSON document that a command prints."""
    result = run(site, *words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)
