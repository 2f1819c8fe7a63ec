"""Links between documents lead to existing files and headings."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import ROOT

LINK = re.compile(r"\]\((?![a-z]+:)([^)\s#]*)(?:#([^)\s]+))?\)")
CODE = re.compile(r"^( *)```.*?^ *```", re.DOTALL | re.MULTILINE)


def documents() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    found = listed.stdout.split("\n") if listed.returncode == 0 else []
    return [name for name in found if name] or [
        str(path.relative_to(ROOT)) for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))
    ]


def text_of(path: Path) -> str:
    return CODE.sub("", path.read_text(encoding="utf-8"))


def headings(path: Path) -> Iterator[str]:
    """The anchors of a document, as GitHub makes them."""
    for title in re.findall(r"^#+ (.+)$", text_of(path), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).strip().lower()
        yield re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


@pytest.mark.parametrize("name", documents())
def test_every_link_leads_somewhere(name):
    here = ROOT / name
    for target, anchor in LINK.findall(text_of(here)):
        there = here.parent / target if target else here
        assert there.exists(), f"{name} leads to {target}"
        if anchor:
            assert anchor in headings(there), f"{name} leads to {target}#{anchor}"


def test_no_document_holds_the_marks_of_a_merge_conflict():
    marks = re.compile(r"^(<{7}|\|{7}|>{7}) ", re.MULTILINE)
    assert [each for each in documents() if marks.search((ROOT / each).read_text("utf-8"))] == []


def test_documents_are_found():
    pages = {"README.md", "docs/operate/operation.md", "docs/providers/README.md"}
    assert pages <= set(documents())


@pytest.mark.parametrize("name", [each for each in documents() if each.startswith("docs/")])
def test_every_page_stands_on_a_shelf_of_the_index(name):
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / target).resolve() for target, _anchor in LINK.findall(text_of(index))}
    page = (ROOT / name).resolve()
    # The providers' pages and the decisions have an index, or a folder, of their own.
    ways = {page, page.parent, page.parent / "README.md"}
    assert page == index.resolve() or ways & (linked - {index.resolve()}), f"not in {index}"
