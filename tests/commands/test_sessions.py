"""``sessions list`` and ``revoke``, ``purge``, and every command without a database."""

import pytest

from tests.commands.console import answer, run
from tests.commands.test_users import id_of, sign_in

COMMANDS = [
    ["users", "list"],
    ["users", "show", "a@b"],
    ["users", "disable", "0" * 32],
    ["users", "export", "0" * 32],
    ["users", "delete", "0" * 32, "--yes"],
    ["sessions", "list", "a@b"],
    ["sessions", "revoke", "--all", "--yes"],
    ["revocations", "run"],
    ["keys", "status"],
    ["keys", "rotate"],
    ["purge"],
]


def test_sessions_are_listed_and_ended_one_by_one(both):
    first, second = sign_in(both, "grace"), sign_in(both, "grace")
    items = answer(both, "sessions", "list", id_of(first))["items"]
    assert len(items) == 2
    assert {item["user_id"] for item in items} == {id_of(first)}
    assert "Firefox on Linux" in run(both, "sessions", "list", id_of(first)).stdout
    last = both.rows("SELECT id FROM sessions ORDER BY created_at DESC LIMIT 1")[0][0]
    assert answer(both, "sessions", "revoke", last) == {"ended": 1}
    assert second.me() is None
    assert first.me()
    assert "This site's operator" in first.get("/account/activity").text
    assert run(both, "sessions", "revoke", last).exit_code == 1


def test_all_sessions_of_one_user_or_of_everybody_are_ended(both):
    first, second, linus = (sign_in(both, who) for who in ("grace", "grace", "linus"))
    assert answer(both, "sessions", "revoke", "--user", id_of(first)) == {"ended": 2}
    assert first.me() is None
    assert second.me() is None
    assert linus.me()
    assert run(both, "sessions", "revoke", "--all", typed="n\n").exit_code == 1
    assert linus.me()
    assert answer(both, "sessions", "revoke", "--all", "--yes") == {"ended": 1}
    assert linus.me() is None


@pytest.mark.parametrize(
    "words", [[], ["x", "--all"], ["--all", "--user", "x"], ["--user", "a@b.example"]]
)
def test_ending_sessions_needs_an_unambiguous_user(site, words):
    grace = sign_in(site, "grace")
    site.execute("UPDATE oauth SET email_key = 'a@b.example'")
    result = run(site, "sessions", "revoke", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert grace.me()


def test_a_malformed_session_id_is_reported_as_unknown(both):
    for text in ("x", "0" * 32):
        result = run(both, "sessions", "revoke", text)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "There is no such session" in result.stderr


def test_purge_deletes_expired_rows_and_nothing_else(both):
    grace, linus = sign_in(both, "grace"), sign_in(both, "linus")
    grace.begin("google")
    both.execute(
        "UPDATE sessions SET expires_at = '2026-01-01 00:00:00.000000' WHERE user_id = :id",
        id=id_of(linus),
    )
    both.execute("UPDATE flows SET expires_at = '2026-01-01 00:00:00.000000'")
    answer(both, "purge")
    assert both.rows("SELECT user_id FROM sessions") == [(id_of(grace),)]
    assert both.rows("SELECT count(*) FROM flows") == [(0,)]
    assert both.user_count() == 2


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_commands_refuse_a_database_with_another_schema_version(site, words):
    site.execute("UPDATE alembic_version SET version_num = '0001'")
    result = run(site, *words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "not up to date. Run: flask --app app db upgrade" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    site.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "newer than this code" in run(site, *words).stderr


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_commands_report_a_missing_database_in_one_line(site, words, tmp_path):
    for url, said in (
        (f"sqlite:///{tmp_path}/missing.sqlite", "There is no database file yet."),
        ("postgresql://quickstep:hidden@127.0.0.1:9/x", "The database cannot be reached:"),
    ):
        site.restart(DATABASE_URL=url)
        result = run(site, *words)
        assert (result.exit_code, result.stdout) == (1, "")
        assert said in result.stderr
        assert "hidden" not in result.stderr
        assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "missing.sqlite").exists()


@pytest.mark.parametrize("word", ["upgrade", "current"])
def test_migrations_report_an_unreachable_database_in_one_line(site, word):
    site.restart(DATABASE_URL="postgresql://quickstep:hidden@127.0.0.1:9/x")
    result = run(site, "db", word)
    assert (result.exit_code, result.stdout) == (1, "")
    last = result.stderr.splitlines()[-1]
    assert last.startswith("Error: The database cannot be reached:")
    assert "Traceback" not in result.stderr
    assert "hidden" not in result.stderr
