"""The log events in docs/operate/operation.md match the code."""

import ast
import re
from pathlib import Path

from accounts.activity import EventKind
from tests.house.test_floors import FILES, name_of

TEXT = (Path(__file__).parents[2] / "docs" / "operate" / "operation.md").read_text()


def rows(heading: str) -> list[list[str]]:
    """The cells of a section's tables."""
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def codes(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


def is_log_call(node: ast.Call) -> bool:
    match node.func:
        case ast.Attribute(value=ast.Name(id="log"), attr=level):
            return level in ("debug", "info", "warning", "error", "exception")
        case ast.Name(id="write"):
            return True
    return False


def test_every_log_event_is_documented():
    logged, kinds = set(), set(EventKind)
    for path in FILES:
        if name_of(path).startswith("simulator"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            choices = [arg for arg in node.args if isinstance(arg, ast.IfExp)]
            either = [each for arg in choices for each in (arg.body, arg.orelse)]
            texts = [arg.value for arg in either or node.args if isinstance(arg, ast.Constant)]
            first = texts if either else texts[:1]
            if is_log_call(node):
                logged |= set(first)
    told = {name for names, *_ in rows("Logs") for name in codes(names)}
    assert logged | kinds <= told
    assert told <= logged | kinds
