"""Requests to the JSON API."""

import re
from typing import Any

from tests.browser import Browser, Page


def csrf(browser: Browser) -> dict[str, str]:
    return {"X-CSRF-Token": browser.fetch("/api/v1/me").headers.get("X-CSRF-Token", "")}


def send(browser: Browser, method: str, path: str, **kwargs: Any) -> Page:
    """Send a change with the browser's CSRF token."""
    headers = csrf(browser) | kwargs.pop("headers", {})
    return browser.fetch(path, method, headers=headers, **kwargs)


def problem(page: Page) -> tuple[int, str]:
    """Status and code of a problem document, after checking the whole document."""
    assert page.headers["Content-Type"] == "application/problem+json"
    assert page.headers["Cache-Control"] == "no-store"
    told = page.response.json()
    assert (told["type"], told["status"]) == ("about:blank", page.status)
    assert re.fullmatch(r"[2-9A-Z]{4}-[2-9A-Z]{4}", told["request_id"])
    return page.status, told["code"]


def faults(page: Page) -> dict[str, str]:
    return {fault["field"]: fault["detail"] for fault in page.response.json()["errors"]}
