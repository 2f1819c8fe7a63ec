"""The parts that every failed sign-in shows."""

import re


def assert_designed(page, status: int, title: str) -> None:
    """The sign-in page with the reason, never bare and always with another way to go on."""
    assert page.status == status, page
    assert page.alert == title
    assert page.title.startswith(f"Error: {title}")
    assert re.search(r"Reference [2-9A-Z]{4}-[2-9A-Z]{4}", page.text)
    assert page.headers["Cache-Control"] == "no-store"
