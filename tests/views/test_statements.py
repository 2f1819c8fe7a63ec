"""How many statements each view sends to the database: at most five, whatever its page shows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from storage.engine import engine_of
from tests.browser import Browser
from tests.site import Site

MOST = 5
# What begins and ends transactions is no statement.
AROUND = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA")


class Statements:
    """What SQLite is given to run, past the ORM too."""

    def __init__(self, site: Site) -> None:
        self.seen: list[str] = []
        event.listen(engine_of(site.app), "checkout", self._listen)

    def _listen(self, connection: Any, _record: Any, _proxy: Any) -> None:
        connection.set_trace_callback(self._note)

    def _note(self, sql: str) -> None:
        # SQLite names a DELETE once more for each table that it cascades to.
        is_cascade = sql.startswith("DELETE") and self.seen[-1:] == [sql]
        if not sql.upper().startswith(AROUND) and not is_cascade:
            self.seen.append(sql)

    @contextmanager
    def at_most(self, number: int) -> Iterator[None]:
        self.seen.clear()
        yield
        listed = "\n".join(self.seen)
        assert len(self.seen) <= number, f"{len(self.seen)} statements:\n{listed}"
        assert self.seen or not number


@pytest.fixture
def statements(site: Site) -> Statements:
    return Statements(site)


@pytest.fixture
def person(site: Site, statements: Statements) -> Browser:
    """Somebody with three identities, three sessions and a full activity list."""
    browser = site.browser()
    browser.sign_in("google", "grace")
    browser.link("github", "linus")
    browser.link("facebook", "ada")
    for _ in range(2):
        site.browser().sign_in("google", "grace")
    return browser


@pytest.mark.parametrize(
    "path",
    [
        "/account",
        "/account/sessions",
        "/account/activity",
        "/account/profile",
        "/account/data",
        "/account/delete",
        "/account/identities/{identity}",
        "/account/unlink/{identity}",
        "/account/reauth",
        "/login",
        "/logout",
        "/",
        "/api/v1/me",
        "/api/v1/me?",
        "/api/v1/identities",
        "/api/v1/sessions",
    ],
)
def test_a_page_sends_few_statements(person, statements, path):
    path = path.format(identity=person.identity("github"))
    person.fetch(path)
    with statements.at_most(MOST):
        assert person.fetch(path).status < 400


def change(person: Browser, method: str, path: str, **kwargs: Any) -> int:
    token = person.fetch("/api/v1/me").headers["X-CSRF-Token"]
    return person.fetch(path, method, headers={"X-CSRF-Token": token}, **kwargs).status


def test_changing_the_name_sends_few_statements(person, statements):
    with statements.at_most(
        MOST + 4
    ):  # the CSRF value, the session under the lock, the groups, webhooks
        assert change(person, "PATCH", "/api/v1/me", json={"name": "G."}) == 200


def test_ending_a_session_sends_few_statements(person, statements):
    listed = person.fetch("/api/v1/sessions").response.json()["items"]
    other = next(session["id"] for session in listed if not session["current"])
    with statements.at_most(MOST + 6):  # and the session that is ended, and its applications
        assert change(person, "DELETE", f"/api/v1/sessions/{other}") == 204
