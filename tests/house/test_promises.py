"""The tests that docs/understand/security.md names exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = {
    name
    for path in ROOT.glob("tests/**/test_*.py")
    for name in re.findall(r"^ *def (test_\w+)", path.read_text(), re.MULTILINE)
}
ROWS = [
    row
    for row in (ROOT / "docs" / "understand" / "security.md").read_text().splitlines()
    if row.startswith("| ") and not row.startswith(("| promise", "|---"))
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:50])
def test_every_promise_names_tests_that_exist(row):
    kept_by = row.split("|")[-2]
    named = re.findall(r"`(test_\w+)`", kept_by)
    assert named
    assert set(named) <= TESTS, set(named) - TESTS
