"""PostgreSQL: a small pool, lost connections, locks, the strictest isolation."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from accounts import sessions
from storage import db, engine, postgresql
from tests.accounts.test_races import Turnstile, at_once, ready
from tests.site import Site


def backends(site: Site) -> list[int]:
    """The PostgreSQL backends of this site's connections, except the one that runs this query."""
    rows = site.rows(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'quickstep' AND pid <> pg_backend_pid()"
    )
    return [pid for (pid,) in rows]


def test_every_connection_has_time_limits_and_an_application_name(make_site):
    site = make_site("postgresql")

    def show(name: str) -> str:
        return str(site.rows(f"SHOW {name}")[0][0])

    assert show("application_name") == "quickstep"
    assert show("statement_timeout") == "10s"
    assert show("lock_timeout") == "5s"
    assert show("idle_in_transaction_session_timeout") == "1min"
    url = f"{site.app.config['SQLALCHEMY_DATABASE_URI']}&application_name=theirs"
    site.restart(DATABASE_URL=url)
    assert show("application_name") == "theirs"


@pytest.mark.parametrize(
    ("provider", "where"),
    [("google", "token"), ("github", "token"), ("github", "user"), ("facebook", "me")],
)
def test_a_provider_that_hangs_does_not_hold_a_database_connection(
    make_site, monkeypatch, provider, where
):
    """With a pool of one: a request must return its connection before it calls a provider."""
    site = make_site("postgresql", DATABASE_POOL_SIZE="1")
    slow = site.browser()
    callback = slow.choose(slow.begin(provider), "grace")
    held = Turnstile(getattr(site.simulator, provider), where, "grace").install(monkeypatch)
    with ThreadPoolExecutor(1) as pool:
        page = pool.submit(slow.get, callback)
        assert held.arrived.wait(30)
        for person in ("linus", "uma"):
            assert site.browser().sign_in(provider, person).path == "/account"
        held.open()
        assert page.result(30).path == "/account"
    assert slow.me()


def test_an_exhausted_pool_is_a_503_within_the_time_limit(make_site, monkeypatch):
    """SQLAlchemy waits half a minute by default, and every thread would hang that long."""
    assert engine.POOL_WAIT_SECONDS <= 5
    monkeypatch.setattr(engine, "POOL_WAIT_SECONDS", 0.2)
    site = make_site("postgresql", DATABASE_POOL_SIZE="1")
    browser = site.browser()
    browser.sign_in("google", "ada")
    taken, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with db.engine.connect():
            taken.set()
            may_end.wait(30)

    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(site.inside, hold)
        assert taken.wait(10)
        page = browser.get("/account")
        api = browser.fetch("/api/v1/me")
        may_end.set()
        holder.result(10)
    assert (page.status, page.heading) == (503, "Back soon")
    assert (api.status, api.response.json()["code"]) == (503, "unavailable")
    assert page.headers["Retry-After"]
    assert browser.me(), "nobody was signed out by it"


def test_connections_cut_by_a_failover_are_opened_again(make_site, monkeypatch):
    """The server restarted between two requests; the next request succeeds."""
    monkeypatch.setattr(postgresql, "PING_AFTER_IDLE_SECONDS", 0)
    site = make_site("postgresql")
    browser = site.browser()
    browser.sign_in("google", "ada")
    at_once([partial(site.rows, "SELECT pg_sleep(0.2)") for _ in range(3)])
    cut = backends(site)
    assert len(cut) >= 2
    for pid in cut:
        site.execute("SELECT pg_terminate_backend(:pid)", pid=pid)
    assert all(browser.me() for _ in range(4))
    assert not set(cut) & set(backends(site))


def test_a_connection_cut_during_a_request_fails_only_that_request(make_site):
    site = make_site("postgresql", DATABASE_POOL_SIZE="1")
    browser = site.browser()
    browser.sign_in("google", "ada")
    outside = make_site(DATABASE_URL=site.app.config["SQLALCHEMY_DATABASE_URI"])
    for pid in backends(outside):
        outside.execute("SELECT pg_terminate_backend(:pid)", pid=pid)
    assert browser.fetch("/api/v1/me").status in (200, 503)
    assert browser.me()


@pytest.mark.parametrize("path", ["/account", "/account/sessions", "/api/v1/me", "/login"])
def test_a_connection_cut_before_activity_is_written_does_not_fail_the_request(
    make_site, monkeypatch, path
):
    """Last use is written next time; a read is answered."""
    site = make_site("postgresql", DATABASE_POOL_SIZE="1")
    browser = site.browser()
    browser.sign_in("google", "ada")
    outside = make_site(DATABASE_URL=site.app.config["SQLALCHEMY_DATABASE_URI"])
    site.execute("UPDATE sessions SET last_seen_at = now() - interval '2 minutes'")
    touch = sessions.touch

    def cut(*arguments: Any, **columns: Any) -> None:
        for pid in backends(outside):
            outside.execute("SELECT pg_terminate_backend(:pid)", pid=pid)
        touch(*arguments, **columns)

    monkeypatch.setattr(sessions, "touch", cut)
    assert browser.fetch(path).status in (200, 302)


def test_waiting_for_a_lock_that_is_never_released_is_bounded(make_site, monkeypatch):
    """A forgotten psql session causes a 503, and no thread that waits forever."""
    limits = postgresql.POSTGRESQL_LIMITS.replace("'5s'", "'200ms'")
    monkeypatch.setattr(postgresql, "POSTGRESQL_LIMITS", limits)
    site = make_site("postgresql")
    browser = site.browser()
    browser.sign_in("google", "ada")
    locked, may_end = threading.Event(), threading.Event()

    def lunch() -> None:
        with db.engine.connect() as connection:
            connection.execute(text("LOCK TABLE users, oauth IN SHARE ROW EXCLUSIVE MODE"))
            locked.set()
            may_end.wait(30)

    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(site.inside, lunch)
        assert locked.wait(10)
        assert browser.me(), "reading needs no lock"
        assert site.browser().sign_in("google", "grace").status == 503
        may_end.set()
        holder.result(10)
    assert site.browser().sign_in("google", "grace").path == "/account"


def test_under_serializable_isolation_fifty_first_sign_ins_create_one_account(make_site):
    """CockroachDB has no other isolation level; a conflicting transaction retries."""
    site = make_site("postgresql")
    name = site.rows("SELECT current_database()")[0][0]
    site.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
    site.restart()
    assert site.rows("SHOW transaction_isolation") == [("serializable",)]
    at_door = ready(site, 50, "google", "grace")
    pages = at_once([partial(browser.get, callback) for browser, callback in at_door])
    assert {(page.status, page.path) for page in pages} == {(200, "/account")}
    assert site.user_count() == 1
    assert site.rows("SELECT count(*) FROM sessions")[0][0] == 50


def test_an_idle_transaction_is_ended_by_the_server(make_site, monkeypatch):
    """A process halted during a write holds its locks no longer than that."""
    limits = postgresql.POSTGRESQL_LIMITS.replace("'60s'", "'100ms'")
    monkeypatch.setattr(postgresql, "POSTGRESQL_LIMITS", limits)
    site = make_site("postgresql")
    site.browser().sign_in("google", "ada")

    def halted() -> None:
        with db.engine.connect() as connection:
            connection.execute(text("LOCK TABLE users"))
            end = time.monotonic() + 10
            while site.rows("SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock'"):
                assert time.monotonic() < end
            connection.invalidate()

    site.inside(halted)
    assert site.user_count() == 1
