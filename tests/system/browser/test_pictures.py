"""The pictures of README.md and of the operator's tour can be taken again, and are small."""

import struct
from pathlib import Path

from tests.system.browser.pictures import FOLDER, TOUR, demo, take_pictures

NAMES = [
    *("account-dark.png", "account-light.png"),
    *sorted(f"admin-{name}.png" for name in TOUR),
    *("sign-in-dark.png", "sign-in-light.png"),
]
MAX_BYTES = 150 * 1024


def size_of(path: Path) -> tuple[int, int]:
    """The width and height that a PNG file states."""
    width, height = struct.unpack(">II", path.read_bytes()[16:24])
    return width, height


def test_the_pictures_of_the_readme_are_taken_from_the_demo(chromium, tmp_path):
    with demo() as running:
        taken = sorted(take_pictures(chromium, running, tmp_path))
    assert [path.name for path in taken] == NAMES
    for path in taken:
        committed = FOLDER / path.name
        assert size_of(committed) == size_of(path), "make pictures"
        assert committed.stat().st_size < MAX_BYTES
