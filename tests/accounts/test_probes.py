"""The probe: providers that report nothing are asked whether the permission still stands."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts import identities, probes
from accounts.probes import Probes
from tests.browser import Browser
from tests.site import Site, Sites

LONG_AGO = "2026-01-01 00:00:00.000000"
PEOPLE = ("ada", "grace", "linus", "leila")


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest, make_site: Sites) -> Site:
    return make_site(request.param)


def signed_in(site: Site, person: str = "ada", provider: str = "github") -> Browser:
    browser = site.browser()
    browser.sign_in(provider, person)
    return browser


def pass_time(site: Site) -> None:
    """Let PROBE_HOURS pass, and every pause."""
    site.execute("UPDATE oauth SET read_at = :at", at=LONG_AGO)
    site.execute("UPDATE probes SET due_at = :at", at=LONG_AGO)
    end_pauses(site)


def end_pauses(site: Site) -> None:
    site.execute("UPDATE chores SET due_at = :at WHERE name LIKE 'probe%'", at=LONG_AGO)


def run(site: Site) -> float | None:
    """Run the job once, as its worker does; None: nothing is left to ask now."""
    here = site.app.extensions["quickstep"]
    settings = here.settings
    hours = timedelta(hours=settings.probe_hours)
    seconds: float | None = site.inside(
        Probes(here.connectors, hours, settings.probe_ends_sessions).work
    )
    return seconds


def probe(site: Site) -> None:
    """Let the time pass, and ask about everybody who is due then."""
    pass_time(site)
    while run(site) is not None:
        end_pauses(site)


def asked(site: Site, provider: str = "github") -> int:
    """How many calls the fake provider was sent."""
    return len(getattr(site.simulator, provider).seen)


def due_at(site: Site) -> datetime:
    (row,) = site.rows("SELECT due_at FROM probes")
    return datetime.fromisoformat(str(row[0])).replace(tzinfo=UTC)


def test_a_permission_that_was_taken_back_ends_sessions_and_token(both):
    browser, other = signed_in(both), signed_in(both, "grace", "google")
    probe(both)
    assert browser.me()
    both.simulator.github.tokens.clear()
    probe(both)
    assert browser.me() is None
    assert other.me()
    assert both.rows("SELECT token FROM oauth WHERE provider = 'github'") == [(None,)]
    assert "You were signed out here" in browser.get("/login").text
    # The person may come back, and reads why.
    page = signed_in(both).get("/account/activity")
    assert "GitHub no longer accepts the permission that you gave" in page.text
    assert both.user_count() == 2


def test_a_refresh_token_that_is_refused_ends_them_too(make_site):
    site = make_site(GOOGLE_OFFLINE_ACCESS="1")
    browser = signed_in(site, provider="google")
    site.execute("UPDATE oauth SET token_expires_at = :at", at=LONG_AGO)
    probe(site)
    assert browser.me()
    site.simulator.google.tokens.clear()
    site.simulator.google.refresh_tokens.clear()
    probe(site)
    assert browser.me() is None


def test_a_session_of_another_identity_goes_on(site, browser, other):
    browser.sign_in("google", "ada")
    browser.link("github", "ada")
    other.sign_in("github", "ada")
    site.simulator.github.tokens.clear()
    probe(site)
    assert browser.me()
    assert other.me() is None


def test_sessions_stay_if_the_operator_says_so(make_site):
    site = make_site(PROBE_ENDS_SESSIONS="0")
    browser = signed_in(site)
    site.simulator.github.tokens.clear()
    probe(site)
    assert browser.me()
    assert site.rows("SELECT token FROM oauth") == [(None,)]


def test_two_days_without_an_answer_end_nothing(both):
    browser = signed_in(both)
    for answer in ("hang_up", "status_503", "status_429", "status_403"):
        both.simulator.github.answers["profile"] = answer
        probe(both)
        assert due_at(both) > datetime.now(UTC) + timedelta(hours=5)
        assert browser.me()
    assert both.rows("SELECT grant_ended_at FROM oauth") == [(None,)]
    both.simulator.github.answers.clear()
    both.simulator.github.tokens.clear()
    probe(both)
    assert browser.me() is None


def test_nobody_is_asked_before_the_hours_have_passed_and_everybody_once_after(site):
    for person in PEOPLE:
        signed_in(site, person)
    end_pauses(site)
    before = asked(site)
    assert run(site) is None
    assert asked(site) == before
    probe(site)
    each = (asked(site) - before) / len(PEOPLE)
    assert each in (1, 2)
    end_pauses(site)
    assert run(site) is None
    assert asked(site) == before + each * len(PEOPLE)


def test_each_call_to_a_provider_costs_a_second_of_pause(site):
    for person in PEOPLE:
        signed_in(site, person)
    pass_time(site)
    before, elapsed = asked(site), 0.0
    for number in range(1, len(PEOPLE) + 1):
        run(site)
        left = site.rows("SELECT count(*) FROM oauth WHERE read_at = :at", at=LONG_AGO)
        assert left == [(len(PEOPLE) - number,)], "one identity in each round"
        run(site)  # within the pause nothing is asked, on whatever instance
        ended, due = (
            datetime.fromisoformat(each)
            for each in site.rows("SELECT done_at, due_at FROM chores WHERE name = 'probe github'")[
                0
            ]
        )
        elapsed += (due - ended).total_seconds()
        assert asked(site) - before <= elapsed + 0.1
        end_pauses(site)


def test_a_provider_that_is_away_is_left_alone_for_a_minute(site):
    signed_in(site)
    site.simulator.github.answers["profile"] = "hang_up"
    pass_time(site)
    run(site)
    query = "SELECT done_at, due_at FROM chores WHERE name = 'probe github'"
    ended, due = (datetime.fromisoformat(each) for each in site.rows(query)[0])
    assert (due - ended).total_seconds() == pytest.approx(60, abs=1)


def test_nobody_is_asked_about_who_is_signed_out_disabled_or_suspended(site):
    signed_in(site, "ada").sign_out()
    signed_in(site, "grace")
    signed_in(site, "linus")
    of = "(SELECT user_id FROM oauth WHERE email LIKE :email)"
    email = site.rows("SELECT email FROM oauth ORDER BY linked_at")[1][0]
    site.execute(f"UPDATE users SET disabled_at = created_at WHERE id IN {of}", email=email)
    site.execute("UPDATE oauth SET suspended_at = linked_at WHERE email != :email", email=email)
    before = asked(site)
    probe(site)
    assert asked(site) == before


def test_an_expired_token_that_nothing_renews_is_no_word_about_the_permission(site):
    browser = signed_in(site)
    site.execute("UPDATE oauth SET token_expires_at = :at", at=LONG_AGO)
    before = asked(site)
    probe(site)
    assert asked(site) == before
    assert browser.me()


def test_whoever_signed_in_again_meanwhile_keeps_what_they_have(site):
    browser = signed_in(site)
    (read,) = site.inside(lambda: identities.of_user(str(browser.user_id)))
    site.inside(probes.end, read, ends_sessions=True)
    assert browser.me()
    assert site.rows("SELECT grant_ended_at FROM oauth") == [(None,)]


def test_no_hours_switch_it_off(make_site):
    names = [
        {worker.name for worker in make_site(PROBE_HOURS=hours).app.extensions["jobs"]._workers}
        for hours in ("24", "0")
    ]
    assert ["probes" in each for each in names] == [True, False]
