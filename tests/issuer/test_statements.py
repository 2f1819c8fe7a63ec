"""What the OpenID Provider asks the database: few statements, none of which reads a whole table."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import ClientCursor
from sqlalchemy import event

from storage.engine import engine_of
from tests.browser import Browser
from tests.commands.console import answer
from tests.issuer.relying_party import App
from tests.site import Site

# These grow with people and their use; the others have as many rows as there are applications.
LARGE = {
    "access_tokens",
    "authorization_requests",
    "consents",
    "device_codes",
    "grants",
    "logouts",
    "oauth",
    "seen_proofs",
    "sessions",
    "users",
}
AROUND = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA", "SET", "SHOW", "EXPLAIN")
READING = ("SELECT", "UPDATE", "DELETE")


class Statements:
    """What the driver is given to run, past the ORM too, with its values written into it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.seen: list[str] = []
        self.writes = 0
        self._is_sqlite = engine_of(site.app).dialect.name == "sqlite"
        event.listen(engine_of(site.app), "checkout", self._listen)

    def _listen(self, connection: Any, _record: Any, _proxy: Any) -> None:
        if self._is_sqlite:
            connection.set_trace_callback(self._note)
            return
        note = self._note

        class Cursor(psycopg.Cursor[Any]):
            def execute(self, query: Any, params: Any = None, **kwargs: Any) -> Any:
                note(ClientCursor(self.connection).mogrify(query, params))
                return super().execute(query, params, **kwargs)

        connection.cursor_factory = Cursor

    def _note(self, sql: str) -> None:
        self.writes += sql.startswith("BEGIN IMMEDIATE")
        if not sql.lstrip().upper().startswith(AROUND):
            self.seen.append(sql.strip())

    @contextmanager
    def exactly(self, number: int, *, writes: int) -> Iterator[None]:
        """``writes``: the number of write transactions, on SQLite."""
        self.seen.clear()
        self.writes = 0
        yield
        listed = "\n".join(self.seen)
        assert len(self.seen) == number, f"{len(self.seen)} statements:\n{listed}"
        assert not self._is_sqlite or self.writes == writes, listed

    def scans(self) -> list[str]:
        """The statements that read a large table without an index of what they look for."""
        those = dict.fromkeys(each for each in self.seen if each.upper().startswith(READING))
        return [each for each in those if self._scanned(each) & LARGE]

    def _scanned(self, sql: str) -> set[str]:
        if self._is_sqlite:
            plan = self.site.rows("EXPLAIN QUERY PLAN " + sql.replace(":", "\\:"))
            return {each[3].split()[1] for each in plan if each[3].startswith("SCAN")}
        with engine_of(self.site.app).connect() as connection:
            connection.exec_driver_sql("SET enable_seqscan = off")  # the tables are nearly empty
            found = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sql.replace('%', '%%')}")
            plan = found.scalar_one()
        read = plan if isinstance(plan, list) else json.loads(plan)
        return set(_scanned_nodes(read[0]["Plan"]))


def _scanned_nodes(node: dict[str, Any]) -> Iterator[str]:
    has_condition = "Index Cond" in node or "Recheck Cond" in node
    if node["Node Type"].endswith("Scan") and "Relation Name" in node and not has_condition:
        yield node["Relation Name"]
    for each in node.get("Plans", ()):
        yield from _scanned_nodes(each)


@pytest.fixture
def browser(both: Site) -> Browser:
    both.app.extensions["jobs"].stop()
    browser = both.browser()
    browser.sign_in("google", "grace")
    return browser


def test_answers_to_applications_take_few_statements(both, browser):
    app = App(both)
    tokens = app.tokens(browser)
    statements = Statements(both)
    with statements.exactly(5, writes=1):  # the last: that the session has not ended meanwhile
        code = app.sign_in(browser)["code"]
    with statements.exactly(4, writes=1):
        tokens = app.exchange(code)
    with statements.exactly(4, writes=1):
        tokens = app.refresh(tokens.refresh)
    with statements.exactly(3, writes=0):
        assert app.is_active(tokens.access)
    with statements.exactly(2, writes=0):
        assert app.introspect(tokens.refresh)["active"]
    with statements.exactly(2, writes=0):
        assert app.userinfo(tokens.access).json()["email"]
    with statements.exactly(0, writes=0):
        app.keys()
        browser.fetch("/.well-known/openid-configuration")


def test_a_statement_without_an_index_is_found(both, browser):
    statements = Statements(both)
    statements.seen = ["SELECT id FROM users WHERE name = 'Grace'", "SELECT count(*) FROM grants"]
    assert statements.scans() == statements.seen


def test_no_statement_reads_a_whole_table_of_people_or_tokens(both, browser):
    app = App(both, "Notes", "--backchannel-logout-uri", "https://notes.example/backchannel")
    statements = Statements(both)
    tokens = app.tokens(browser, scope="openid profile email offline_access")
    tokens = app.refresh(tokens.refresh)
    app.is_active(tokens.access)
    app.introspect(tokens.refresh)
    app.userinfo(tokens.access)
    app.post("par", app.authorization())
    app.ask(browser, prompt="consent")
    assert "Notes" in browser.get("/account/apps").text
    app.post("revoke", {"token": tokens.access})
    app.exchange(app.sign_in(browser)["code"])
    browser.post(f"/account/apps/{app.client_id}/remove")
    app.tokens(browser)
    browser.sign_out()
    browser.sign_in("google", "grace")
    app.tokens(browser)
    browser.post("/account/delete", browser.get("/account/delete"), confirm="DELETE")
    assert len(statements.seen) > 60
    assert statements.scans() == []


def test_expired_rows_are_found_without_reading_whole_tables(both, browser):
    App(both).tokens(browser)
    statements = Statements(both)
    answer(both, "purge")
    mine = {"access_tokens", "authorization_requests", "device_codes", "grants", "seen_proofs"}
    found = [each for each in statements.seen if any(f"FROM {name}" in each for name in mine)]
    assert len(found) >= len(mine)
    statements.seen = found
    assert statements.scans() == []
