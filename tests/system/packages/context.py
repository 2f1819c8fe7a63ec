"""What comes into an image: the files that .dockerignore lets through, as a builder reads it."""

import os
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[3]
# Not looked into at all: large, and of this machine only.
NEVER = {
    ".git",
    ".venv",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
    "node_modules",
}


def rules(text: str) -> list[tuple[bool, re.Pattern[str]]]:
    """Each line: whether it lets in, and which paths (or what is in them) it speaks of.
    https://docs.docker.com/build/concepts/context/#dockerignore-files"""
    lines = [line.strip() for line in text.splitlines()]
    found = []
    for line in lines:
        if line and not line.startswith("#"):
            pattern = re.escape(line.lstrip("!").strip("/"))
            pattern = pattern.replace(r"\*\*/", "(?:.*/)?").replace(r"\*\*", ".*")
            pattern = pattern.replace(r"\*", "[^/]*")
            found.append((line.startswith("!"), re.compile(rf"{pattern}(?:/.*)?")))
    return found


def is_in(path: str, known: list[tuple[bool, re.Pattern[str]]]) -> bool:
    """Whether a file comes in: the last line that speaks of it decides."""
    said = [lets_in for lets_in, pattern in known if pattern.fullmatch(path)]
    return said[-1] if said else True


def files(root: Path = ROOT) -> list[str]:
    """The paths, from the root, of what comes in."""
    known = rules((ROOT / ".dockerignore").read_text())
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in NEVER]
        paths = [(Path(folder) / name).relative_to(root).as_posix() for name in names]
        found += [path for path in paths if is_in(path, known)]
    return found


def copy(target: Path) -> None:
    """``COPY . /app``, with ``target`` for /app."""
    for path in files():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target / path)
