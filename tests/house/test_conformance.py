"""The tests that docs/understand/conformance.md names exist."""

import re
from pathlib import Path

import pytest

from tests.house.test_promises import TESTS

PAGE = Path(__file__).parents[2] / "docs" / "understand" / "conformance.md"
ROWS = [
    row
    for row in PAGE.read_text().splitlines()
    if row.startswith("| ") and not row.startswith("| module")
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:50])
def test_every_module_of_the_plans_names_tests_that_exist(row):
    named = set(re.findall(r"`(test_\w+)`", row.split("|")[-2]))
    assert named
    assert named <= TESTS, named - TESTS
