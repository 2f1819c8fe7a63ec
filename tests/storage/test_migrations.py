"""The schema: migrations and models agree on both engines, also when run twice or concurrently."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import inspect, text

import app as quickstep
import config
from providers import PROVIDERS
from storage import db, postgresql
from tests.processes import ended
from tests.site import SECRET_KEY

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request, tmp_path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/empty.sqlite"
    make_empty: Callable[[], str] = request.getfixturevalue("empty_postgres")
    return make_empty()


def application(database_url: str):
    variables = {"SECRET_KEY": SECRET_KEY, "DATABASE_URL": database_url}
    return quickstep.create_app(config.load(PROVIDERS.values(), variables, None))


def test_the_migrations_make_the_schema_of_the_models(empty):
    with application(empty).app_context():
        upgrade()
        upgrade()
        check()
        assert set(inspect(db.engine).get_table_names()) == {
            "access_checks",
            "access_places",
            "access_tokens",
            "admin_links",
            "admin_log",
            "alarms",
            "alembic_version",
            "authorization_requests",
            "chores",
            "client_keys",
            "client_logos",
            "clients",
            "consents",
            "device_codes",
            "ended_sessions",
            "events",
            "flows",
            "gate_flows",
            "gate_hosts",
            "gate_sessions",
            "gates",
            "grants",
            "invitations",
            "logouts",
            "mails",
            "memberships",
            "name_words",
            "oauth",
            "probes",
            "receipts",
            "resources",
            "revocations",
            "seen_proofs",
            "sessions",
            "signing_keys",
            "token_marks",
            "users",
        }
        db.engine.dispose()


def test_downgrading_to_the_start_leaves_no_tables(empty):
    with application(empty).app_context():
        upgrade()
        downgrade(revision="base")
        assert inspect(db.engine).get_table_names() == ["alembic_version"]
        db.engine.dispose()


PEOPLE_OF_0001 = (
    "INSERT INTO users (id, name, created_at) VALUES ('u', 'Ada', :at)",
    (
        "INSERT INTO oauth (id, user_id, provider, issuer, subject, email_verified, email_trusted,"
        " profile, scopes, linked_at, last_used_at)"
        " VALUES ('o', 'u', 'google', 'https://i', '1', true, false, '{}', '', :at, :at)"
    ),
    (
        "INSERT INTO sessions (id, token_hash, user_id, identity_id, provider, created_at,"
        " authenticated_at, last_seen_at, expires_at, user_agent, address)"
        " VALUES ('s', 'h', 'u', 'o', 'google', :at, :at, :at, :at, '', '')"
    ),
)


def test_an_upgrade_keeps_the_data_of_existing_users(empty):
    """SQLite rebuilds a changed table; dropping the old one must delete nothing elsewhere."""
    at = "2026-01-01 00:00:00+00:00"
    with application(empty).app_context():
        upgrade(revision="0001")
        with db.engine.begin() as connection:
            for statement in PEOPLE_OF_0001:
                connection.execute(text(statement), {"at": at})
        for there_or_back in (upgrade, lambda: downgrade(revision="0001"), upgrade):
            there_or_back()
            with db.engine.connect() as connection:
                left = connection.execute(
                    text(
                        "SELECT u.name, o.subject, s.identity_id FROM users u, oauth o, sessions s"
                    )
                )
                assert left.all() == [("Ada", "1", "o")]
        with db.engine.begin() as connection:
            assert connection.execute(text("SELECT read_at = last_used_at FROM oauth")).scalar()
            connection.execute(text("UPDATE users SET email_choice = 'o'"))
            connection.execute(text("DELETE FROM oauth"))
            assert connection.execute(text("SELECT email_choice FROM users")).all() == [(None,)]
        db.engine.dispose()


def test_the_database_itself_keeps_identities_unique(empty):
    with application(empty).app_context():
        upgrade()
        (unique,) = inspect(db.engine).get_unique_constraints("oauth")
        assert unique["column_names"] == ["provider", "issuer", "subject"]
        db.engine.dispose()


def test_migrations_run_by_several_processes_concurrently_apply_once(empty):
    """Two instances that start together both migrate."""
    program = "import app; from flask_migrate import upgrade; "
    program += "application = app.create_app(); application.app_context().push(); upgrade()"
    settings = {"SECRET_KEY": SECRET_KEY, "DATABASE_URL": empty, "PATH": os.environ["PATH"]}
    running = [
        subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env=settings) for _ in range(3)
    ]
    with ended(*running):
        assert [process.wait(60) for process in running] == [0, 0, 0]
    with application(empty).app_context():
        check()
        db.engine.dispose()


def test_a_migration_waits_longer_for_a_lock_than_a_request(empty_postgres, monkeypatch):
    """The instance that starts second waits for the first, however long that takes."""
    limits = "SET lock_timeout = '50ms'; SET statement_timeout = '50ms'"
    monkeypatch.setattr(postgresql, "POSTGRESQL_LIMITS", limits)
    monkeypatch.setattr(postgresql, "ANSWER_SECONDS", 0.05)
    with application(empty_postgres()).app_context():
        first = db.engine.connect()
        first.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": 0x0B1C57E9})
        ending = threading.Timer(0.5, first.close)
        ending.start()
        upgrade()
        ending.join()
        check()
        db.engine.dispose()
