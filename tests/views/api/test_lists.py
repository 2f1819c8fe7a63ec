"""Lists of the JSON API: pages, cursors, queries."""

import base64

import pytest

from tests.browser import Browser
from tests.views.api.client import faults, problem, send


def pages(browser: Browser, path: str, limit: int) -> list[list[str]]:
    """The ids of every page of a list."""
    found: list[list[str]] = []
    cursor = None
    while not found or cursor:
        query = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        answer = browser.fetch(path, params=query).response.json()
        found.append([item["id"] for item in answer["items"]])
        cursor = answer["next_cursor"]
    return found


def test_pages_of_a_list_hold_every_item_once_and_in_order(grace, site):
    for _ in range(4):
        site.browser().sign_in("google", "grace")
    (whole,) = pages(grace, "/api/v1/sessions", 100)
    assert len(whole) == 5
    assert pages(grace, "/api/v1/sessions", 2) == [whole[:2], whole[2:4], whole[4:]]
    assert pages(grace, "/api/v1/sessions", 5) == [whole]
    grace.link("github", "linus")
    identities = [identity["id"] for identity in grace.me()["identities"]]
    assert pages(grace, "/api/v1/identities", 2) == [identities[:2], identities[2:]]


def test_a_cursor_still_works_after_its_item_was_deleted(grace, site):
    for _ in range(3):
        site.browser().sign_in("google", "grace")
    (whole,) = pages(grace, "/api/v1/sessions", 100)
    first = grace.fetch("/api/v1/sessions?limit=2").response.json()
    send(grace, "DELETE", f"/api/v1/sessions/{whole[1]}")
    site.browser().sign_in("google", "grace")
    rest = grace.fetch("/api/v1/sessions", params={"cursor": first["next_cursor"]}).response.json()
    assert [item["id"] for item in rest["items"]] == whole[2:]


def cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


BAD_CURSORS = (
    *("", "x", "abc", "é", "%00", "=", "AAAA", "a" * 9000),
    cursor("2026-11-03T14:05:00 no-zone"),
    cursor("2026-11-03T14:05:00+00:00 padded") + "==",
    cursor("yesterday x"),
)


@pytest.mark.parametrize("path", ["/api/v1/identities", "/api/v1/sessions"])
def test_a_bad_cursor_is_a_400(grace, path):
    for bad in BAD_CURSORS:
        page = grace.fetch(path, params={"cursor": bad})
        assert problem(page) == (400, "invalid_query"), bad
        assert faults(page) == {"cursor": "is not a next_cursor of this API"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *(("limit=0", "limit"), ("limit=101", "limit"), ("limit=many", "limit")),
        *(("limit=1&limit=2", "limit"), ("page=2", "page")),
    ],
)
def test_an_unknown_query_parameter_is_refused(grace, query, field):
    page = grace.fetch(f"/api/v1/sessions?{query}")
    assert problem(page) == (400, "invalid_query")
    assert set(faults(page)) == {field}
