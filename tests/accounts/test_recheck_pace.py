"""How often the job that checks the rules again calls a provider."""

from datetime import datetime

import pytest

from tests.accounts.membership import ORG, Members

TEAM = '[[allow]]\ngithub.team = "acme/core"\n'
LABS = '[[allow]]\ngithub.org = "labs"\n'
PEOPLE = ("ada", "grace", "linus", "leila")


@pytest.fixture
def members(make_site) -> Members:
    """Four members, about each of whom four calls have to be sent."""
    members = Members(make_site, ORG + TEAM + LABS)
    members.acme.members |= dict.fromkeys(PEOPLE, "active")
    for person in PEOPLE:
        members.signed_in(person)
    members.pass_time()
    members.github.seen.clear()
    return members


def pause(members: Members) -> float:
    """The seconds from the end of the last round to the next."""
    query = "SELECT done_at, due_at FROM chores WHERE name = 'access github'"
    ended, due = (datetime.fromisoformat(each) for each in members.site.rows(query)[0])
    return (due - ended).total_seconds()


def test_each_call_to_a_provider_costs_a_second_of_pause(members):
    elapsed = 0.0
    for _ in PEOPLE:
        assert members.run() == 1
        elapsed += pause(members)
        assert len(members.github.seen) <= elapsed + 0.1
        members.end_pause()
    assert members.run() == 0
    assert [members.github.seen.count(what) for what in ("organisation", "team")] == [12, 4]


def test_a_call_that_the_open_circuit_holds_back_costs_nothing(members):
    members.github.answers |= dict.fromkeys(("organisation", "team"), "hang_up")
    members.run()
    members.end_pause()
    members.run()
    members.end_pause()
    before = len(members.github.seen)
    members.run()
    assert len(members.github.seen) == before
    assert pause(members) == pytest.approx(1, abs=0.2)
