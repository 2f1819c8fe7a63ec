"""Comments, docstrings and docs avoid the forms that CONTRIBUTING.md rules out.

A room, or a file, that is on UNEDITED has not been read yet: take its line away once it passes.
"""

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNEDITED = {"tests"}
# Rooms whose code still has names with "look-alike".
UNRENAMED = {"simulator", "tests"}
# Decisions quote what was, and the changelog is what earlier versions said.
QUOTED = ("docs/decisions/", "CHANGELOG.md", "tests/house/test_english.py")

# A noun clause as a subject: "What is over is deleted." Questions may begin so.
VERBS = "is|are|was|were|has|have|had|can|could|may|might|must|will|would|comes?|came|does|did|do"
SUBJECTS = "this|these|the|an?|no|one|it|its|they|we|you|he|somebody|nobody|people|providers?|each"
HEADLESS = [
    rf"(?:Who|Whom|Whoever|What|That) (?:{VERBS}|{SUBJECTS}|[a-z]+s)\b",
    r"Whose\b",
    r"Of (?!course)",
]
FORBIDDEN = {
    rf"(?:^|[.!:] +)(?:{'|'.join(HEADLESS)})(?![^.!?]*\?)": "put the subject first",
    r"\banew\b": "again",
    r"\bat once\b": "immediately, or together",
    r"\b(?:is|are|was|were|be|been) over(?=$|[.,;:)]| and\b| or\b)": "has expired, or has ended",
    r"\bbeside\b": "next to, in addition to, or concurrently with",
    r"\bswitch(?:ed|es|ing)? (?:it |them )?o(?:n|ff)\b": "enable, disable",
    r"\bproved? themselves\b": "reauthenticate",
    r"\bno (?:longer )?good\b": "invalid, expired",
    r"\bmade[- ]up\b": "invented",
    r"\bgiv(?:e|es|en) back\b": "revoke, return",
    r"\b(?:crew|siblings)\b": "name the thing itself",
}
CODE_ONLY = {
    r"\blook-?alike": "fake provider, or provider simulator",
}
NAMES = re.compile(r"look_?alike|LookAlike", re.IGNORECASE)


def tracked(*patterns: str) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, check=False, capture_output=True, text=True
    ).stdout.split()
    found = listed or [
        str(path.relative_to(ROOT)) for each in patterns for path in ROOT.rglob(each)
    ]
    return [
        path
        for path in found
        if (ROOT / path).exists() and not path.startswith((*QUOTED, "static/vendor", "."))
    ]


def room_of(path: str) -> str:
    return path.partition("/")[0]


def is_edited(path: str) -> bool:
    return not any(path == each or path.startswith(f"{each}/") for each in UNEDITED)


CODE = tracked("*.py")
DOCS = tracked("*.md")
EDITED = [path for path in [*CODE, *DOCS] if is_edited(path)]
ROOMS = sorted({room_of(path) for path in EDITED})


@cache
def prose_of_code(path: str) -> tuple[tuple[int, str], ...]:
    """Each docstring and each block of comments, with its line number."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return (*_docstrings(text), *_comments(text))


def _docstrings(text: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(prose), lineno=line)):
                yield line, prose


def _comments(text: str) -> Iterator[tuple[int, str]]:
    first, last, block = 0, 0, ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        line = token.start[0]
        is_alone = token.line.strip().startswith("#")
        if block and not (is_alone and line == last + 1):
            yield first, block
            block = ""
        first, last = first if block else line, line
        block = f"{block} {token.string.lstrip('# ')}"
    if block:
        yield first, block


def prose_of_docs(path: str) -> Iterator[tuple[int, str]]:
    """Each line of a paragraph or list, and each table cell; without headings and code."""
    text = (ROOT / path).read_text(encoding="utf-8")
    text = re.sub(r"```.*?```", lambda code: "\n" * code[0].count("\n"), text, flags=re.DOTALL)
    text = re.sub(r"`[^`\n]*`", "`…`", text)
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#"):
            continue
        line = re.sub(r"^\*\*[^*]*\*\*:?", "", line)  # noqa: PLW2901 (a heading in bold)
        for cell in line.strip("| ").split(" | "):
            yield number, cell.lstrip("-*#>0123456789. ")


def faults(prose: str, forbidden: dict[str, str]) -> list[str]:
    """What is forbidden in a text, with what to write instead."""
    line = " ".join(prose.split())
    return [
        f"{found[0].strip()!r}: {instead}"
        for form, instead in forbidden.items()
        for found in re.finditer(form, line)
    ]


def faults_in(paths: list[str]) -> list[str]:
    found = []
    for path in paths:
        is_code = path.endswith(".py")
        forbidden = {**FORBIDDEN, **CODE_ONLY} if is_code else FORBIDDEN
        for number, prose in prose_of_code(path) if is_code else prose_of_docs(path):
            found += [f"{path}:{number} {fault}" for fault in faults(prose, forbidden)]
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_written_in_plain_english(room):
    assert faults_in([path for path in EDITED if room_of(path) == room]) == []


@pytest.mark.parametrize("room", sorted({room_of(path) for path in CODE} - UNRENAMED))
def test_no_name_in_a_room_says_look_alike(room):
    named = {
        f"{path}: {token.string}"
        for path in CODE
        if room_of(path) == room
        for token in tokenize.generate_tokens(io.StringIO((ROOT / path).read_text()).readline)
        if token.type == tokenize.NAME and NAMES.search(token.string)
    }
    assert named == set()


@pytest.mark.parametrize("unedited", sorted(UNEDITED))
def test_the_list_names_only_what_does_not_pass(unedited):
    """Otherwise it could become worse again without anybody noticing."""
    paths = [path for path in [*CODE, *DOCS] if f"{path}/".startswith(f"{unedited}/")]
    assert faults_in(paths) != [], "take its line off UNEDITED"


@pytest.mark.parametrize(
    "sentence",
    [
        "What is over is deleted.",
        "Who is not signed in is, and then comes back.",
        "Sent later. Of two mounts the later one is on top.",
        "Whose time has come.",
        "That the account is locked first matters.",
        "Read anew with each start.",
        "All faults are told at once.",
        "An attempt that is over.",
        "It runs beside the requests.",
        "A provider that was switched off.",
    ],
)
def test_forbidden_forms_are_found(sentence):
    assert faults(sentence, FORBIDDEN)


@pytest.mark.parametrize(
    "sentence",
    [
        "What does the provider send?",
        "Deletes expired rows in small batches.",
        "Of course it is.",
        "Hand over the token, all over again.",
        "That's Google's own limit.",
    ],
)
def test_plain_sentences_pass(sentence):
    assert not faults(sentence, FORBIDDEN)
