"""An account that vanishes while a request to the API is answered: 401, never a failure of ours."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.site import Site
from tests.views.api.client import csrf, problem

READS = ("me", "identities", "sessions", "activity")
CHANGES = (
    *(("PATCH", "me"), ("DELETE", "me"), ("POST", "export"), ("DELETE", "sessions")),
    *(("DELETE", "identities/{identity}"), ("DELETE", "sessions/{session}")),
)
ENDED = (
    ("account_deleted", "DELETE FROM users"),
    ("session_ended", "DELETE FROM sessions"),
    ("unauthorized", "UPDATE users SET disabled_at = created_at"),
)
# An unusual request, which the fast session check leaves to the view.
BY_THE_VIEW = {"Origin": "https://elsewhere.example"}
engines = pytest.mark.parametrize("database", ["sqlite", "postgresql"])


@pytest.fixture
def site(make_site, database: str) -> Site:
    made: Site = make_site(database)
    return made


@pytest.fixture
def before_the_view(site: Site) -> Callable[[str], None]:
    """Runs SQL in another connection, between the guards of the next request and its view."""
    pending: list[str] = []

    def vanish() -> None:
        if pending:
            site.execute(pending.pop())

    for blueprint in ("api", "api_account_data"):
        site.app.before_request_funcs.setdefault(blueprint, []).append(vanish)
    return pending.append


def grace_at(site: Site) -> tuple[Any, dict[str, str]]:
    """Grace, signed in on two devices, and the parts of her addresses."""
    browser = site.browser()
    browser.sign_in("google", "grace")
    browser.link("github", "grace")
    site.browser().sign_in("google", "grace")
    rows = browser.fetch("/api/v1/sessions").response.json()["items"]
    other = next(row["id"] for row in rows if not row["current"])
    return browser, {"identity": browser.identity("github"), "session": other}


@engines
@pytest.mark.parametrize(("code", "sql"), ENDED[:2])
def test_a_change_of_an_account_that_has_just_vanished_is_a_401(site, before_the_view, code, sql):
    for method, path in CHANGES:
        site.execute("DELETE FROM users")
        browser, parts = grace_at(site)
        headers = csrf(browser)
        before_the_view(sql)
        page = browser.fetch(
            f"/api/v1/{path.format(**parts)}", method, json={"name": "x"}, headers=headers
        )
        assert problem(page) == (401, code), (method, path)
        assert page.headers["WWW-Authenticate"].startswith("Bearer ")
        assert browser.me() is None


@engines
@pytest.mark.parametrize(("code", "sql"), ENDED)
def test_reading_and_signing_out_of_a_vanished_account_fail_nothing(
    site, before_the_view, code, sql
):
    for method, path in (*(("GET", path) for path in READS), ("DELETE", "sessions/current")):
        site.execute("DELETE FROM users")
        browser, _ = grace_at(site)
        headers = csrf(browser) | BY_THE_VIEW
        before_the_view(sql)
        page = browser.fetch(f"/api/v1/{path}", method, headers=headers)
        assert page.status < 300 or problem(page)[0] == 401, (method, path, code, page)


@engines
def test_a_bearer_of_an_account_that_has_just_vanished_gets_a_401(site, before_the_view):
    for method, path in CHANGES[:3]:
        site.execute("DELETE FROM users")
        token = site.simulator.firebase.mint("grace")
        site.browser().bring(token)
        headers = {"Authorization": f"Bearer {token}"}
        before_the_view("DELETE FROM users")
        browser = site.browser()
        page = browser.fetch(f"/api/v1/{path}", method, json={"name": "x"}, headers=headers)
        assert problem(page) == (401, "account_deleted"), (method, path)
        assert "Set-Cookie" not in page.headers
