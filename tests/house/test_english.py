"""Comments, docstrings and documents avoid the forms that CONTRIBUTING.md rules out."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import ROOT

# Programs of their own are included; tests are not.
FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (
        *ROOT.glob("*.py"),
        *(path for room in ROOT.glob("*/__init__.py") for path in room.parent.rglob("*.py")),
        *ROOT.glob("migrations/**/*.py"),
    )
    if path.relative_to(ROOT).parts[0] != "tests"
)
DOCUMENTS = (
    *("CHANGELOG.md", "CONTRIBUTING.md", "docs/accounts.md", "docs/api.md", "docs/architecture.md"),
    *("docs/commands.md", "docs/linking.md", "docs/mobile.md", "docs/security.md"),
    *("docs/testing.md", "docs/upgrading.md"),
)
FORBIDDEN = {
    r"\banew\b": "again",
    r"\bat once\b": "immediately, or concurrently",
    r"\bbeside\b": "next to, in addition to, or concurrently with",
    r"\bswitch(?:ed|es)? (?:on|off)\b": "enable, disable",
    r"\b(?:is|are) over\b(?! [a-z0-9])": "has expired",
    r"\bno good\b|\bno longer good\b": "invalid, expired",
    r"\bmade[- ]up\b": "invented",
    r"\bgiv(?:e|es|en) back\b": "revoke, return",
    r"(?:^|\. )(?:Who|Whom|Whoever) [^?]*?(?:\.|$)": "a sentence that begins with its subject",
}


def prose_of(path: Path) -> Iterator[tuple[int, str]]:
    """The comments and docstrings of a file, by line."""
    text = path.read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# ")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            docstring = ast.get_docstring(node)
            if docstring:
                yield node.body[0].lineno, " ".join(docstring.split())


def complaints(text: str) -> list[str]:
    return [
        f"{found[0]!r}: say {better}"
        for form, better in FORBIDDEN.items()
        if (found := re.search(form, text))
    ]


@pytest.mark.parametrize("name", FILES)
def test_comments_and_docstrings_use_plain_words(name):
    found = [(line, fault) for line, text in prose_of(ROOT / name) for fault in complaints(text)]
    assert not found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_use_plain_words(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    assert not [
        (number, fault) for number, line in enumerate(lines, 1) for fault in complaints(line)
    ]


def test_a_forbidden_form_is_found():
    assert complaints("Who is signed in stays so.")
    assert complaints("The key is read anew.")
    assert not complaints("Reads the key again.")
