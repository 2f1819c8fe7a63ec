"""Limits for the length of files and functions."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEST_FILE_LINES = 400
CODE_FILE_LINES = 300
FUNCTION_LINES = 60
MOST_FUNCTIONS_LINES = 25
# Files and functions that are still too long, with the reason. The list only shrinks.
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=ROOT, check=False, capture_output=True, text=True
    ).stdout.split()
    return [path for path in listed if (ROOT / path).exists()] or found()


def found() -> list[str]:
    """The same files without Git, as in an unpacked archive."""
    paths = [path.relative_to(ROOT) for path in ROOT.rglob("*.py")]
    return [str(path) for path in paths if not path.parts[0].startswith(".")]


FILES = tracked()
CODE = [path for path in FILES if not path.startswith(("tests/", "migrations/"))]
# Each room; and "", the whole house with the modules at its root.
ROOMS = sorted({path.partition("/")[0] + "/" for path in CODE if "/" in path} | {""})


def lines(path: str) -> int:
    return len((ROOT / path).read_text(encoding="utf-8").splitlines())


def functions(path: str) -> dict[str, int]:
    """The length of each function by its name."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {
        f"{path}: {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_no_test_file_is_too_long():
    tests = {path: lines(path) for path in FILES if path.startswith("tests/")}
    assert tests
    assert {path: size for path, size in tests.items() if size > TEST_FILE_LINES} == {}


def test_no_code_file_is_too_long_but_those_on_the_list():
    too_long = {path for path in CODE if lines(path) > CODE_FILE_LINES}
    assert too_long - set(LONG_FILES) == set(), "split these"
    assert set(LONG_FILES) - too_long == set(), "short now: take these off the list"


def test_no_function_is_too_long_but_those_on_the_list():
    sizes = {name: size for path in CODE for name, size in functions(path).items()}
    too_long = {name for name in sizes if sizes[name] > FUNCTION_LINES}
    assert too_long - set(LONG_FUNCTIONS) == set(), "split these"
    assert set(LONG_FUNCTIONS) - too_long == set(), "short now: take these off the list"


@pytest.mark.parametrize("room", ROOMS)
def test_nine_of_ten_functions_are_short(room):
    sizes = [size for path in CODE if path.startswith(room) for size in functions(path).values()]
    assert sum(size <= MOST_FUNCTIONS_LINES for size in sizes) >= 0.9 * len(sizes)
