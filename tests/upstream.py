"""The dormant libraries' own tests with our versions of everything: ``make upstream-tests``.
Downloads their source distributions (checked by the hashes of requirements.txt), unpacks them and
runs their tests in a separate environment with requirements.txt and the packages that these tests
need. Every failure must be in upstream_known.txt with its reason. It needs the package index."""

import os
import re
import subprocess
import sys
import tarfile
import tempfile
import venv
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).parents[1]
KNOWN = Path(__file__).with_name("upstream_known.txt")
# Each library, and its tests that are not run because they need another server.
LIBRARIES = {
    "flask-dance": (),
    "flask-login": (),
    "flask-sqlalchemy": (),
    "requests-oauthlib": ("tests/examples",),  # a browser at auth0.com
}
# Packages that their tests import in addition to requirements.txt.
NEEDS = (
    *("asgiref==3.13.0", "betamax==0.9.0", "Flask-Caching==2.5.1", "freezegun==1.5.5"),
    *("pyjwt==2.15.1", "pytest==9.2.0", "pytest-mock==3.17.0", "requests-mock==1.12.1"),
    *("responses==0.26.3", "semantic-version==2.10.0"),
)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="quickstep-upstream-") as name:
        folder = Path(name)
        python = environment(folder)
        is_good = True
        for source in sources(python, folder):
            library = re.sub("_", "-", source.name.rpartition("-")[0]).lower()
            passed, failed = run(python, source, LIBRARIES[library])
            is_good &= tell(library, passed, failed, known(library))
    sys.exit(0 if is_good else 1)


def environment(folder: Path) -> Path:
    """A Python with our versions and the packages that the tests need."""
    print("Installing …", flush=True)
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    pip: list[str | Path] = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", ROOT / "requirements.txt"], check=True)
    pins = folder / "pins.txt"  # without hashes, which pip refuses in a constraints file
    pins.write_text("".join(f"{line}\n" for line in locked() if ";" not in line))
    subprocess.run([*pip, "-c", pins, *NEEDS], check=True)
    return python


def blocks() -> list[str]:
    """requirements.txt by package: version and hashes."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return [block for block in re.split(r"\n(?=\w)", text) if "==" in block]


def locked() -> list[str]:
    return [re.sub(r"\[\w+\]", "", block.partition(" \\")[0]) for block in blocks()]


def sources(python: Path, folder: Path) -> Iterator[Path]:
    """The unpacked source distributions of the libraries."""
    wanted = folder / "wanted.txt"
    chosen = [block for block in blocks() if block.partition("==")[0].lower() in LIBRARIES]
    wanted.write_text("\n".join(chosen), encoding="utf-8")
    pip: list[str | Path] = [python, "-m", "pip", "download", "-qq", "--disable-pip-version-check"]
    options: list[str | Path] = [
        "--require-hashes",
        "--no-deps",
        "--no-binary",
        ":all:",
        "-d",
        folder / "sources",
    ]
    subprocess.run([*pip, *options, "-r", wanted], check=True)
    archives = sorted((folder / "sources").iterdir())
    assert len(archives) == len(LIBRARIES), archives
    for archive in archives:
        with tarfile.open(archive) as file:
            file.extractall(folder, filter="data")
        yield folder / archive.name.removesuffix(".tar.gz")


def run(python: Path, source: Path, left_out: tuple[str, ...]) -> tuple[int, set[str]]:
    """The number of a library's tests that pass, and the names of those that fail."""
    report = source / "report.xml"
    ignored = [f"--ignore={path}" for path in left_out]
    options = ["-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", f"--junitxml={report}"]
    end = subprocess.run(
        [python, "-m", "pytest", *options, *ignored, "tests"],
        cwd=source,
        env={"PATH": os.environ["PATH"]},  # no variables that requests reads
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if not report.exists():
        sys.exit(f"{source.name}: pytest said nothing\n{end.stdout}")
    passed, failed = 0, set()
    for case in ET.parse(report).iter("testcase"):
        ends = {child.tag for child in case}
        name = f"{case.get('classname')}::{case.get('name')}"
        if ends & {"failure", "error"}:
            failed.add(re.sub(r"^tests\.", "", name))
        elif "skipped" not in ends:
            passed += 1
    return passed, failed


def known(library: str) -> dict[str, str]:
    """The known failures of a library, by pattern, each with its reason."""
    lines = KNOWN.read_text(encoding="utf-8").splitlines()
    rows = [line.split(maxsplit=2) for line in lines if line and not line.startswith("#")]
    return {pattern: reason for owner, pattern, reason in rows if owner == library}


def tell(library: str, passed: int, failed: set[str], expected: dict[str, str]) -> bool:
    """Print a library's result; return whether it is as expected."""
    print(f"{library}: {passed} pass, {len(failed)} fail", flush=True)
    unknown = set(failed)
    for pattern, reason in expected.items():
        like = {name for name in failed if fnmatchcase(name, pattern)}
        unknown -= like
        print(
            f"  {len(like)} known  {pattern}: {reason}" if like else f"  NO LONGER FAILS  {pattern}"
        )
    for name in sorted(unknown):
        print(f"  FAILS  {name}")
    return passed > 0 and not unknown


if __name__ == "__main__":
    main()
