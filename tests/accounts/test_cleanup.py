"""Expired rows are deleted in small batches, by one instance at a time."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from access.models import Invitation
from accounts import activity, cleanup
from accounts.models import EndedSession, Flow
from jobs import periodic, worker
from models import Event, Session
from storage import db
from tests.processes import ended, until
from tests.site import SECRET_KEY, Site

ROOT = Path(__file__).parents[2]
ENGINES = pytest.mark.parametrize("database", ["sqlite", "postgresql"])
TABLES = ("flows", "sessions", "events", "ended_sessions", "invitations")
# Further rooms bring jobs of their own.
JOBS = tuple(job.name for job in cleanup.JOBS)


def ago(**time_ago: float) -> datetime:
    return datetime.now(UTC) - timedelta(**time_ago)


def fill(site: Site, count: int = 5) -> None:
    """Ada's account, with ``count`` expired rows of each kind."""
    browser = site.browser()
    browser.sign_in("google", "ada")
    user_id = browser.user_id
    old = ago(days=400)

    def add() -> None:
        session = {"user_id": user_id, "provider": "google", "created_at": old}
        for kind, rows in (
            (
                Flow,
                [
                    {
                        "browser_hash": "x",
                        "provider": "google",
                        "intent": "sign_in",
                        "return_to": "/",
                        "secrets": "",
                        "expires_at": ago(days=2),
                    }
                ]
                * count,
            ),
            (
                Session,
                [
                    {
                        "token_hash": f"{number}",
                        "last_seen_at": ago(days=15) if number % 2 else ago(days=1),
                        "expires_at": ago(days=-9) if number % 2 else ago(minutes=1),
                        **session,
                    }
                    for number in range(count)
                ],
            ),
            (
                EndedSession,
                [
                    {"token_hash": f"{number}", "reason": "merged", "ended_at": ago(days=31)}
                    for number in range(count)
                ],
            ),
            (
                Invitation,
                [
                    {"token_hash": f"{number}", "uses": 1, "expires_at": ago(days=31)}
                    for number in range(count)
                ],
            ),
            (Event, [{"user_id": user_id, "kind": "signed_in", "at": ago(days=91)}] * count),
        ):
            db.session.execute(kind.__table__.insert(), rows)  # type: ignore[attr-defined]
        db.session.commit()

    site.inside(add)


def counts(site: Site) -> list[int]:
    return [site.rows(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES]


def chores(site: Site) -> dict[str, tuple[int, bool]]:
    """By name: how often it was taken, and whether it was ever finished."""
    rows = site.rows("SELECT name, turn, done_at FROM chores")
    return {name: (turn, done_at is not None) for name, turn, done_at in rows}


def all_at_once(sites: list[Site]) -> None:
    barrier = threading.Barrier(len(sites))

    def work(each: Site) -> None:
        barrier.wait(10)
        each.inside(cleanup.run_due)

    with ThreadPoolExecutor(len(sites)) as pool:
        list(pool.map(work, sites))


def make_due(site: Site) -> None:
    site.execute("UPDATE chores SET due_at = :at", at=ago(minutes=1))


@ENGINES
def test_expired_rows_are_deleted_in_the_background_and_nothing_else(
    make_site, database, monkeypatch
):
    monkeypatch.setattr(worker, "LOOK_EVERY_SECONDS", 0)
    site = make_site(database)
    fill(site)
    browser = site.browser()
    callback = browser.choose(browser.begin("github"), "ada")
    until(lambda: all(is_done for _turn, is_done in chores(site).values()) and chores(site))
    make_due(site)  # those that ran before there was anything to delete
    browser.fetch("/login")
    until(lambda: counts(site) == [1, 1, 1, 0, 0])
    assert browser.get(callback).path in ("/account", "/login/confirm")


def test_of_several_instances_one_deletes_expired_rows(make_site):
    site = make_site("postgresql")
    fill(site, 1500)
    url = site.app.config["SQLALCHEMY_DATABASE_URI"]
    sites = [site, make_site(DATABASE_URL=url), make_site(DATABASE_URL=url)]
    deleted: list[int] = []
    for each in sites:
        with each.app.app_context():
            engine = db.engine

        @event.listens_for(engine, "after_cursor_execute")
        def note(connection, cursor, statement, *rest):
            if statement.startswith("DELETE"):
                deleted.append(cursor.rowcount)

    all_at_once(sites)
    assert counts(site) == [0, 1, 1, 0, 0]
    assert chores(site) == dict.fromkeys(JOBS, (1, True))
    assert sorted(deleted) == [500] * 5 + [1000] * 5
    for each in sites:
        each.inside(cleanup.run_due)
    assert chores(site) == dict.fromkeys(JOBS, (1, True))


@ENGINES
def test_a_due_job_is_leased_by_one_instance(make_site, database):
    site = make_site(database)
    url = site.app.config["SQLALCHEMY_DATABASE_URI"]
    sites = [site, *(make_site(DATABASE_URL=url) for _ in range(3))]
    site.inside(cleanup.run_due)
    takes: list[int] = []
    for each in sites:
        with each.app.app_context():
            engine = db.engine

        @event.listens_for(engine, "after_cursor_execute")
        def note(connection, cursor, statement, *rest):
            if statement.startswith("UPDATE chores") and "turn=" in statement.split("WHERE")[0]:
                takes.append(cursor.rowcount)

    for _ in range(10):
        make_due(site)
        takes.clear()
        all_at_once(sites)
        assert sum(takes) == len(JOBS)


@ENGINES
def test_users_can_sign_in_while_many_rows_are_deleted(make_site, database):
    """Each batch commits, so a request waits for one batch at most."""
    site = make_site(database)
    fill(site, 20_500)
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(site.inside, cleanup.run_due)
        until(lambda: counts(site)[0] < 20_000)
        before = counts(site)[1]
        assert before > 1
        assert site.browser().sign_in("github", "grace").path == "/account"
        assert not work.done()
        work.result(120)
    assert counts(site) == [0, 2, 2, 0, 0]


def test_a_job_whose_process_was_killed_is_finished_by_another(make_site):
    site = make_site()
    fill(site, 20_000)
    program = (
        "import app; from accounts import cleanup; application = app.create_app();"
        " application.app_context().push(); cleanup.run_due()"
    )
    url = site.app.config["SQLALCHEMY_DATABASE_URI"]
    settings = {"SECRET_KEY": SECRET_KEY, "DATABASE_URL": url, "PATH": os.environ["PATH"]}
    with ended(subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env=settings)):
        until(lambda: counts(site)[0] < 20_000)
    left = counts(site)
    assert left[0] > 0
    site.inside(cleanup.run_due)
    assert counts(site)[0] == left[0], "it is not due again yet: its process might just be slow"
    assert chores(site)["flows"] == (1, False)
    make_due(site)
    site.inside(cleanup.run_due)
    assert counts(site) == [0, 1, 1, 0, 0]
    assert chores(site)["flows"] == (2, True)


def test_a_worker_whose_lease_was_taken_over_deletes_nothing_more(make_site):
    site = make_site()
    fill(site, 3)
    slow = site.inside(periodic.lease_job, "events")
    make_due(site)
    faster = site.inside(periodic.lease_job, "events")
    ids = [row.id for row in site.rows("SELECT id FROM events")]
    assert site.inside(cleanup._delete, slow, activity.purge, ids) is False
    assert counts(site)[2] == 4
    assert site.inside(cleanup._delete, faster, activity.purge, ids) is True
    assert counts(site)[2] == 0


def test_an_operator_can_delete_expired_rows_immediately(make_site):
    site = make_site()
    site.inside(cleanup.run_due)
    fill(site, 2)
    assert site.inside(cleanup.run_now) == dict.fromkeys(JOBS, 0) | dict.fromkeys(TABLES, 2)
    assert site.inside(cleanup.run_now) == dict.fromkeys(JOBS, 0)


def test_the_background_worker_survives_a_database_error(make_site, monkeypatch, capfd):
    """Of its trouble there is one line in the log, and no thread that ends."""
    monkeypatch.setattr(worker, "LOOK_EVERY_SECONDS", 0)
    site = make_site(LOG_FORMAT="json")
    site.execute("ALTER TABLE chores RENAME TO away")
    assert site.browser().fetch("/login").status == 200
    until(lambda: '"work": "housekeeping"' in capfd.readouterr().err)
    site.execute("ALTER TABLE away RENAME TO chores")
    site.browser().fetch("/login")
    until(lambda: len(chores(site)) >= len(JOBS))
