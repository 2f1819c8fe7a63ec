"""Crawlers at a gated host: they get no page, and what they begin is bounded."""

from datetime import datetime
from typing import Any

import pytest

from gates import flows
from tests.gates.front import NAVIGATION, WIKI, Front, add_gate
from tests.issuer.relying_party import query_of
from tests.site import Site, Sites
from web import limits


@pytest.fixture(params=["sqlite", "postgresql"])
def gated(request: pytest.FixtureRequest, make_site: Sites) -> Site:
    site = make_site(str(request.param))
    add_gate(site)
    return site


def crawl(site: Site, pages: int) -> None:
    for number in range(pages):
        Front(site).ask(f"{WIKI}/{number}", **NAVIGATION)


def test_a_crawler_fills_no_table_and_disturbs_nobody_who_signs_in(gated, monkeypatch):
    monkeypatch.setattr(flows, "MAX_WAITING", 12)
    monkeypatch.setattr(flows, "TRIMMED", 4)
    front = Front(gated)
    sign_in = front.open(f"{WIKI}/mine")
    crawl(gated, 40)
    assert gated.rows("SELECT count(*) FROM gate_flows")[0][0] <= 12
    landed = front.browser.sign_in("google", "grace", next=query_of(sign_in.url)["next"])
    assert front.open(landed.location).status_code == 200
    assert front.passed == [f"{WIKI}/mine"]


def time_of(value: Any) -> datetime:
    """SQLite returns times as texts."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def test_a_flow_that_no_browser_followed_ends_within_two_minutes(gated):
    front = Front(gated)
    begun = front.ask(f"{WIKI}/", **NAVIGATION).headers["Location"]
    (unopened,) = gated.rows("SELECT expires_at FROM gate_flows")
    front.browser.fetch(begun, "HEAD")
    assert gated.rows("SELECT expires_at FROM gate_flows") == [unopened]
    front.browser.fetch(begun, headers=NAVIGATION)
    (opened,) = gated.rows("SELECT expires_at FROM gate_flows")
    gained = time_of(opened[0]) - time_of(unopened[0])
    assert flows.LIFETIME_SECONDS - flows.UNOPENED_SECONDS <= gained.total_seconds() < 600


def test_one_address_begins_so_many_sign_ins_a_minute(gated, monkeypatch):
    monkeypatch.setattr(limits, "GATE_SIGN_INS_PER_MINUTE", 3)
    gated.restart()
    addresses = [Front(gated).ask(f"{WIKI}/", **NAVIGATION).headers["Location"] for _ in range(4)]
    visitors = [gated.browser().fetch(each, headers=NAVIGATION) for each in addresses]
    assert [page.status for page in visitors] == [302, 302, 302, 429]
    # People who are signed in already begin none.
    somebody = Front(gated)
    somebody.sign_in()
    assert somebody.open(f"{WIKI}/").status_code == 200
