"""How long a provider's latest definite answer counts while it cannot be asked."""

from datetime import UTC, datetime, timedelta

import pytest

from access.checks import Held, take, take_signed_in
from providers.criteria import Fact, Standing

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
GRACE = timedelta(hours=24)
NAME = "github.org=acme"


def hours(count: float) -> datetime:
    return NOON + timedelta(hours=count)


def held(*said: tuple[Standing, float]) -> Held:
    """What is kept after these answers, each so many hours after noon."""
    kept = None
    for standing, after in said:
        kept = take(kept, Fact(standing), hours(after))
    assert kept
    return kept


def test_a_definite_answer_counts_immediately():
    assert held((Standing.MET, 0)).counts(GRACE, hours(1000))
    assert not held((Standing.MET, 0), (Standing.NOT_MET, 1)).counts(GRACE, hours(1))
    assert not held((Standing.MET, 0), (Standing.NEEDS_CONSENT, 1)).counts(GRACE, hours(1))


@pytest.mark.parametrize("silence", [Standing.UNKNOWN, Standing.GRANT_ENDED])
def test_a_member_stays_for_the_time_of_grace_and_no_longer(silence):
    kept = held((Standing.MET, 0), (silence, 1), (silence, 20))
    assert kept.counts(GRACE, hours(24.9))
    assert not kept.counts(GRACE, hours(25))


@pytest.mark.parametrize("silence", [Standing.UNKNOWN, Standing.GRANT_ENDED])
def test_silence_lets_nobody_in_who_was_not(silence):
    assert not held((silence, 0)).counts(GRACE, NOON)
    assert not held((Standing.NOT_MET, 0), (silence, 1)).counts(GRACE, hours(1))


def test_an_answer_ends_the_time_of_grace_and_the_next_silence_begins_another():
    kept = held(
        (Standing.MET, 0), (Standing.UNKNOWN, 1), (Standing.MET, 20), (Standing.UNKNOWN, 30)
    )
    assert kept.failing_since == hours(30)
    assert kept.counts(GRACE, hours(53))


def test_a_sign_in_that_says_nothing_keeps_what_is_known():
    """An app's ID token lets nothing be asked; that is no failure of the provider."""
    earlier = {NAME: held((Standing.MET, 0))}
    after = take_signed_in(earlier, {NAME: Fact(Standing.UNKNOWN)}, hours(5))
    assert after == earlier
    assert not take_signed_in({}, {NAME: Fact(Standing.UNKNOWN)}, NOON)[NAME].counts(GRACE, NOON)
