"""Searching people and events reads an index of what is looked for, on both engines."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from accounts import activity, directory, name_search
from accounts.activity import EventKind
from accounts.rules import Policy
from storage import db
from storage.engine import engine_of
from tests.issuer.test_statements import Statements
from tests.site import Site

LARGE = {"users", "oauth", "events", "name_words"}
NUMBERS = {
    "sqlite": "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 4000)",
    "postgresql": "WITH n AS (SELECT * FROM generate_series(1, 4000) AS n)",
}
ID = {"sqlite": "printf('%032x', n)", "postgresql": "lpad(to_hex(n), 32, '0')"}
AT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S.000000', 'now', -n || ' minutes')",
    "postgresql": "now() - n * interval '1 minute'",
}
# 4000 people, of whom all have a common word in their name and each a rare one.
FILL = """
INSERT INTO users (id, name, words_of, created_at, disabled_at, admin_at, held_at) {numbers}
    SELECT {id}, 'Person x' || n, 'Person x' || n, {at},
    CASE WHEN n % 1000 = 0 THEN {at} END, CASE WHEN n % 1000 = 1 THEN {at} END,
    CASE WHEN n % 1000 = 2 THEN {at} END FROM n;
INSERT INTO oauth (id, user_id, provider, issuer, subject, email, email_key, email_verified,
    email_trusted, profile, scopes, linked_at, last_used_at, suspended_at) {numbers}
    SELECT {id}, {id}, 'google', 'https://i', '' || n, n || '@example.org', n || '@example.org',
    true, true, '{{}}', '', {at}, {at}, CASE WHEN n % 1000 = 3 THEN {at} END FROM n;
INSERT INTO name_words (word, created_at, user_id, words)
    SELECT 'person', created_at, id, lower(' ' || name) FROM users;
INSERT INTO name_words (word, created_at, user_id, words)
    SELECT lower(substr(name, 8)), created_at, id, lower(' ' || name) FROM users;
INSERT INTO events (id, user_id, at, kind, reason, provider, detail, user_agent, address,
    reference) {numbers}
    SELECT {id}, {id}, {at}, CASE WHEN n = 4000 THEN 'merged' ELSE 'signed_in' END, '',
    CASE WHEN n = 4000 THEN 'github' ELSE 'google' END, '', '', '', 'REF' || n FROM n;
ANALYZE
"""
POLICY = replace(
    Policy("ask"), admins=frozenset({("google", "https://i", "7"), ("google", "https://i", "8")})
)
PEOPLE: tuple[tuple[str, str, set[str]], ...] = (
    ("", "", {"ix_users_created_at"}),
    ("", "disabled", {"ix_users_disabled_at"}),
    ("", "held", {"ix_users_held_at"}),
    ("", "suspended", {"ix_oauth_suspended_at"}),
    ("", "admins", {"ix_users_admin_at", "uq_oauth_provider"}),
    ("17@example.org", "", {"ix_oauth_email_key"}),
    ("google:17", "", {"ix_oauth_subject"}),
    ("x1234", "", {"ix_name_words_word", "ix_users_words_of"}),
    ("x1234 pers", "", {"ix_name_words_word"}),
    ("person", "", {"ix_users_created_at", "pk_name_words"}),
    ("person", "disabled", {"ix_users_disabled_at"}),
)
EVENTS: tuple[tuple[dict[str, str], str], ...] = (
    ({}, "ix_events_at"),
    ({"kind": EventKind.MERGED}, "ix_events_kind"),
    ({"provider": "github"}, "ix_events_provider"),
    ({"reference": "REF77"}, "ix_events_reference"),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, make_site: Any) -> Site:
    engine = str(request.param)
    site: Site = make_site(engine)
    site.app.extensions["jobs"].stop()
    forms = {"numbers": NUMBERS[engine], "id": ID[engine], "at": AT[engine]}
    for statement in FILL.split(";"):
        site.execute(statement.format(**forms).replace(":", "\\:"))
    return site


class Plans:
    """Which indexes statements use, and whether they read a large table without one."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.statements = Statements(site)

    def of(self, question: Callable[[], Any]) -> tuple[int, set[str], set[str]]:
        """Ask; return how many rows there were, the indexes, and the statements that read a large
        table without one."""
        self.statements.seen.clear()
        found = len(self.site.inside(question))
        used: set[str] = set()
        scanned: set[str] = set()
        for sql in self.statements.seen:
            for index, table in self._explained(sql):
                if index:
                    used.add(index)
                elif table in LARGE:
                    scanned.add(sql)
        return found, used, scanned

    def _explained(self, sql: str) -> Iterator[tuple[str, str]]:
        """Pairs of an index and a table, one of which is empty."""
        engine = engine_of(self.site.app)
        if engine.dialect.name == "postgresql":
            with engine.connect() as connection:
                plan = connection.exec_driver_sql(
                    f"EXPLAIN (FORMAT JSON) {sql.replace('%', '%%')}"
                ).scalar_one()
            read = plan if isinstance(plan, list) else json.loads(plan)
            yield from _nodes(read[0]["Plan"])
            return
        keys = {"users": "pk_users", "name_words": "pk_name_words", "oauth": "uq_oauth_provider"}
        for row in self.site.rows("EXPLAIN QUERY PLAN " + sql.replace(":", "\\:")):
            words = row[3].split()
            if words[0] not in ("SCAN", "SEARCH"):
                continue
            table = words[1]
            table = "name_words" if table.startswith("name_words") else table
            if "PRIMARY" in words or "sqlite_autoindex" in row[3]:
                yield keys.get(table, ""), ""
            elif "INDEX" in words:
                yield words[words.index("INDEX") + 1], ""
            else:
                yield "", table


def _nodes(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "Index Name" in node:
        yield node["Index Name"], ""
    elif node["Node Type"].endswith("Seq Scan"):
        yield "", node["Relation Name"]
    for each in node.get("Plans", ()):
        yield from _nodes(each)


def test_searching_people_reads_an_index_of_what_is_looked_for(filled, monkeypatch):
    # As few of these 4000 people as usual of a million.
    monkeypatch.setattr(name_search, "MANY", 100)
    monkeypatch.setattr(name_search, "NEWEST", 100)
    plans = Plans(filled)
    for text, only, indexes in PEOPLE:
        found, used, scanned = plans.of(
            partial(directory.search, text, POLICY, only=only, limit=26)  # type: ignore[arg-type]
        )
        assert found > 0, (text, only)
        assert indexes <= used, (text, only, used)
        assert not scanned, (text, only)


def test_the_stranded_are_looked_for_among_a_bounded_number_of_accounts(filled, monkeypatch):
    monkeypatch.setattr(directory, "STRANDED_AMONG", 1500)
    plans, after, seen = Plans(filled), None, []
    while True:
        stop = filled.inside(partial(directory.stop_of, "", after))
        ask = partial(directory.search, "", Policy("ask"), only="stranded", after=after, until=stop)
        _found, used, scanned = plans.of(ask)
        assert "ix_users_created_at" in used
        assert not scanned
        seen.append([int(user.name[8:]) for user in filled.inside(ask)])
        if stop is None:
            break
        after = stop
    assert seen == [[3, 1003], [2003], [3003]]
    assert filled.inside(partial(directory.stop_of, "google:17", None)) is None


def test_administrators_by_their_row_alone_are_found_by_its_index(filled):
    found, used, scanned = Plans(filled).of(
        partial(directory.search, "", Policy("ask"), only="admins")
    )
    assert found > 0
    assert "ix_users_admin_at" in used
    assert "ix_users_created_at" not in used
    assert not scanned


def test_searching_events_reads_an_index_of_what_is_looked_for(filled):
    plans = Plans(filled)
    for asked, index in EVENTS:
        found, used, scanned = plans.of(partial(activity.across, **asked, before=None, limit=51))
        assert found > 0, asked
        assert (used, scanned) == ({index}, set()), asked


def test_a_search_without_an_index_is_noticed(filled):
    plans = Plans(filled)

    def slow() -> list[Any]:
        return list(db.session.execute(db.text("SELECT id FROM users WHERE name LIKE '%17%'")))

    assert len(plans.of(slow)[2]) == 1
