"""A leased row is one instance's, whatever the instances' own clocks say."""

import time

import pytest
import time_machine
from sqlalchemy import select

from jobs import periodic
from jobs.leases import lease_row, release_lease, renew_lease
from models import OAuth
from storage import atomic, db
from storage.clock import DatabaseTime
from tests.site import Site
from vault import tokens

ENGINES = pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
HOUR = 3600


@ENGINES
@pytest.mark.parametrize("ahead", [-2 * HOUR, 61, 2 * HOUR])
def test_an_instance_whose_clock_is_wrong_takes_no_lease_from_another(make_site, engine, ahead):
    site = make_site(engine)
    site.inside(periodic.lease_job, "flows")
    with time_machine.travel(time.time() + ahead, tick=True):
        assert site.inside(periodic.lease_job, "flows") is None
        assert site.inside(periodic.lease_job, "events"), "its own leases it gets"
    assert site.inside(periodic.lease_job, "events") is None


@ENGINES
def test_a_refresh_token_is_sent_once_by_instances_whose_clocks_differ(make_site, engine):
    """A provider takes one that comes twice for stolen, and revokes the whole grant."""
    site = make_site(engine, GOOGLE_OFFLINE_ACCESS="1")
    browser = site.browser()
    browser.sign_in("google", "ada")
    site.execute("UPDATE oauth SET token_expires_at = '2026-01-01 00:00:00.000000'")
    identity_id = browser.identity("google")
    assert site.inside(tokens._next_step, identity_id, "").do == "refresh"
    with time_machine.travel(time.time() + 61, tick=True):
        assert site.inside(tokens._next_step, identity_id, "").do == "wait"


@ENGINES
def test_a_lease_ends_by_itself_and_its_slow_holder_writes_nothing(make_site, engine):
    site = make_site(engine)
    site.browser().sign_in("google", "ada")
    ((identity_id,),) = site.rows("SELECT id FROM oauth")
    first = site.inside(atomic(lease_row), tokens.ROWS, identity_id, None, seconds=-1)
    second = site.inside(atomic(lease_row), tokens.ROWS, identity_id, first.id, seconds=HOUR)
    assert first.id != second.id
    assert site.inside(atomic(lease_row), tokens.ROWS, identity_id, second.id, seconds=1) is None
    assert site.inside(atomic(renew_lease), first, HOUR, scopes="stolen") is False
    assert site.inside(atomic(release_lease), first) is False
    assert site.inside(atomic(renew_lease), second, HOUR, scopes="email") is True
    assert site.rows("SELECT scopes FROM oauth") == [("email",)]
    assert site.inside(atomic(release_lease), second) is True
    assert site.rows("SELECT renewal, renewal_until FROM oauth") == [(None, None)]


@ENGINES
def test_the_databases_time_is_stored_and_compared_as_any_other(make_site, engine):
    site: Site = make_site(engine)
    site.browser().sign_in("google", "ada")

    def seconds_since_use() -> float:
        query = select(DatabaseTime(-90), OAuth.last_used_at).where(
            OAuth.last_used_at < DatabaseTime(1), OAuth.last_used_at > DatabaseTime(-HOUR)
        )
        at, used_at = db.session.execute(query).one()
        return float((at - used_at).total_seconds())

    assert -90.1 < site.inside(seconds_since_use) < -30
