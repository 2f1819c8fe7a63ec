"""What is installed: chosen in requirements.in, exact and with hashes in requirements.txt."""

import ast
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
LOCKS = ("requirements.txt", "requirements-dev.txt")
# Of the server, not of its tests and measurements.
CODE = sorted(
    path
    for path in [*ROOT.glob("*.py"), *ROOT.glob("[a-z]*/**/*.py")]
    if path.relative_to(ROOT).parts[0] not in ("tests", "bench")
)
OURS = {path.relative_to(ROOT).parts[0].removesuffix(".py") for path in CODE}
FREE = (
    "MIT",
    "BSD",
    "Apache",
    "Python",
    "PSF",
    "Mozilla",
    "MPL",
    "LGPL",
    "Unlicense",
    "ISC",
    "Public Domain",
)


def read(name: str) -> dict[str, Requirement]:
    """The requirements of a file, without the files that it names and without hashes."""
    text = re.sub(r"\\\n\s*", "", (ROOT / name).read_text())
    lines = [line.partition(" --hash")[0].strip() for line in text.splitlines()]
    found = [Requirement(line) for line in lines if line and line[0] not in "#-"]
    return {canonicalize_name(one.name): one for one in found}


@pytest.mark.parametrize("name", LOCKS)
def test_every_version_is_exact_and_every_file_has_a_hash(name):
    blocks = re.split(r"\n(?=[A-Za-z])", (ROOT / name).read_text())
    blocks = [block for block in blocks if not block.startswith("#")]
    assert len(blocks) >= 40
    for block in blocks:
        assert re.match(r"[A-Za-z0-9._-]+(\[\w+\])?==[^\s;]+", block), block[:80]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", block), block[:80]


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_names_no_place_to_fetch_from(name):
    """Where packages come from is the operator's to choose (pip.conf)."""
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert not re.search(r"^\s*--?(?!hash)\w", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("chosen", "locked"), [("requirements.in", LOCKS[0]), ("requirements-dev.in", LOCKS[1])]
)
def test_the_lock_is_of_what_is_chosen(chosen, locked):
    """Fails when a need was changed and ``make lock`` not run."""
    lock = read(locked)
    for name, need in read(chosen).items():
        assert name in lock, f"{need}: run make lock"
        (version,) = [each.version for each in lock[name].specifier]
        assert need.specifier.contains(version, prereleases=True), f"{need}: run make lock"


def test_tests_run_with_the_versions_of_the_server():
    dev = read(LOCKS[1])
    assert all(dev[name].specifier == one.specifier for name, one in read(LOCKS[0]).items())


def test_what_runs_here_is_what_is_locked():
    for name, one in read(LOCKS[0]).items():
        if one.marker is None or one.marker.evaluate():
            assert one.specifier.contains(metadata.version(name), prereleases=True), one


def test_what_the_code_imports_is_chosen_and_not_just_brought():
    brought_by = metadata.packages_distributions()
    chosen = read("requirements.in")
    for path in CODE:
        if path.name == "pytest_plugin.py":  # the kit's, for those who have pytest
            continue
        for package in imports(path) - OURS - sys.stdlib_module_names:
            names = {canonicalize_name(each) for each in brought_by.get(package, [])}
            assert names & set(chosen), f"{path.name} imports {package}"


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("name", sorted(read(LOCKS[0])))
def test_every_package_of_the_server_is_free_software(name):
    requirement = read(LOCKS[0])[name]
    if requirement.marker and not requirement.marker.evaluate():
        return  # for other systems
    about: Any = metadata.metadata(name)
    words = [about.get("License-Expression") or "", (about.get("License") or "")[:200]]
    words += [each for each in about.get_all("Classifier", []) if each.startswith("License")]
    assert any(re.search(rf"\b{free}", " ".join(words)) for free in FREE), words
