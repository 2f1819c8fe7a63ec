"""The effects of notices on sessions, identities and accounts, at the moment they come."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts import cleanup, lifecycle
from accounts.activity import COMMAND_LINE
from inbox import taking
from inbox.notices import Kind, Notice
from inbox.taking import Inbox
from tests.inbox import senders
from tests.site import Site

ENGINES = ["sqlite", "postgresql"]


def notice(
    site: Site,
    kind: Kind,
    *,
    provider: str = "google",
    at: datetime | None = None,
    **facts: Any,
) -> Notice:
    """A notice about the only identity of that provider."""
    query = "SELECT issuer, subject FROM oauth WHERE provider = :provider"
    issuer, subject = site.rows(query, provider=provider)[0]
    return Notice(
        provider=provider,
        route=provider,
        key=f"{kind}{at}{facts}",
        kind=kind,
        event_at=at or datetime.now(UTC),
        issuer=issuer,
        subject=subject,
        **facts,
    )


def take(site: Site, *notices: Notice) -> list[str]:
    inbox = Inbox(site.app.extensions["quickstep"].policy, b"secret")
    return [each.effect for each in site.inside(taking.take, notices, inbox)]


@pytest.mark.parametrize("kind", [Kind.SESSIONS_REVOKED, Kind.SESSION_REVOKED, Kind.SIGNED_OUT])
def test_sessions_of_the_identity_end_and_of_no_other(site, browser, other, kind):
    browser.sign_in("google", "ada")
    browser.link("github", "ada")
    other.sign_in("github", "ada")
    assert take(site, notice(site, kind)) == ["ended_sessions"]
    assert browser.me() is None
    assert other.me()
    assert "You were signed out here" in browser.get("/login").text


def test_a_taken_back_consent_ends_sessions_and_token_and_the_person_may_come_back(site, browser):
    browser.sign_in("google", "ada")
    assert take(site, notice(site, Kind.CONSENT_REVOKED)) == ["ended_grant"]
    assert site.rows("SELECT token FROM oauth") == [(None,)]
    assert site.rows("SELECT count(*) FROM revocations") == [(0,)]
    browser.sign_in("google", "ada")
    assert site.user_count() == 1
    assert site.rows("SELECT grant_ended_at FROM oauth") == [(None,)]


def test_a_hijacking_ends_everything_until_a_later_sign_in(site, browser, other):
    browser.sign_in("google", "ada")
    browser.link("github", "ada")
    other.sign_in("github", "ada")
    assert take(site, notice(site, Kind.HIJACKED)) == ["suspended"]
    assert browser.me() is other.me() is None
    # A sign-in that began later proves that the account is back there.
    time.sleep(0.01)
    other.sign_in("google", "ada")
    assert other.me()
    assert site.rows("SELECT suspended_at FROM oauth WHERE provider = 'google'") == [(None,)]
    assert site.rows("SELECT held_at FROM users") == [(None,)]


def test_a_suspended_identity_is_no_way_in_and_its_flow_from_before_opens_nothing(site, browser):
    browser.sign_in("github", "ada")
    browser.link("google", "ada")
    late = site.browser()
    callback = late.choose(late.begin("google"), "ada")
    assert take(site, notice(site, Kind.DISABLED)) == ["suspended"]
    assert late.get(callback).alert == "Signing in with Google is paused here"
    assert late.me() is None
    browser.unlink(browser.identity("github"))
    assert browser.providers() == ["github", "google"], "it is the only way in"


def test_an_account_that_is_enabled_again_is_as_before(site, browser):
    browser.sign_in("google", "ada")
    take(site, notice(site, Kind.HIJACKED))
    assert take(site, notice(site, Kind.ENABLED)) == ["lifted"]
    assert site.rows("SELECT suspended_at, suspended_reason FROM oauth") == [(None, None)]
    assert site.rows("SELECT held_at FROM users") == [(None,)]


def test_a_notice_that_is_older_than_the_sign_in_ends_only_older_sessions(site, browser, other):
    browser.sign_in("google", "ada")
    other.sign_in("google", "ada")
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    ids = [row[0] for row in site.rows("SELECT id FROM sessions ORDER BY created_at")]
    at = (hour_ago - timedelta(minutes=1)).replace(tzinfo=None).isoformat(" ")
    site.execute("UPDATE sessions SET created_at = :at WHERE id = :id", at=at, id=ids[0])
    assert take(site, notice(site, Kind.CONSENT_REVOKED, at=hour_ago)) == ["stale"]
    assert browser.me() is None
    assert other.me()
    assert site.rows("SELECT grant_ended_at FROM oauth") == [(None,)]


def test_a_notice_a_little_older_than_the_sign_in_acts(site, browser):
    browser.sign_in("google", "ada")
    at = datetime.now(UTC) - timedelta(seconds=10)
    assert take(site, notice(site, Kind.CONSENT_REVOKED, at=at)) == ["ended_grant"]
    assert browser.me() is None


@pytest.mark.parametrize("database", ENGINES)
def test_fifty_copies_at_the_same_time_act_once(make_site, database):
    site = make_site(database)
    browser = site.browser()
    browser.sign_in("facebook", "ada")
    (subject,) = site.rows("SELECT subject FROM oauth")[0]
    at, answers = time.time(), []

    def send():
        answers.append(senders.facebook(site, "deauthorize", subject, at=at))

    threads = [threading.Thread(target=send) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {(each.status_code, each.content) for each in answers} == {(200, answers[0].content)}
    assert len(site.rows("SELECT * FROM receipts")) == 1
    acts = site.rows("SELECT kind FROM events WHERE kind = 'provider_notice'")
    assert len(acts) == 1


def test_what_came_from_a_provider_goes_with_it(site, browser):
    browser.sign_in("facebook", "ada")
    browser.link("github", "ada")
    assert take(site, notice(site, Kind.DELETION_ASKED, provider="facebook")) == ["removed"]
    assert site.rows("SELECT provider FROM oauth") == [("github",)]
    assert browser.me() is None
    browser.sign_in("github", "ada")
    assert site.user_count() == 1


def test_an_account_that_nothing_opens_is_deleted_after_its_days(site, browser):
    browser.sign_in("facebook", "ada")
    effect = take(site, notice(site, Kind.DELETION_ASKED, provider="facebook"))
    assert effect == ["deletion_planned"]
    held = (
        "SELECT email, email_key, token, name, picture FROM oauth JOIN users ON users.id = user_id"
    )
    assert site.rows(held) == [(None, None, None, None, None)]
    assert browser.me() is None
    site.inside(cleanup.run_now)
    assert site.user_count() == 1
    site.execute("UPDATE users SET delete_due_at = created_at")
    site.inside(cleanup.run_now)
    assert site.user_count() == 0
    assert site.rows("SELECT user_id FROM receipts") == [(None,)]


def test_a_hold_stops_changes_but_not_the_operators(site, browser):
    browser.sign_in("google", "ada")
    site.execute("UPDATE users SET held_at = created_at, held_reason = 'not_me'")
    assert browser.link("github", "ada").alert == "Changes to this account are on hold"
    assert browser.providers() == ["google"]
    site.inside(lifecycle.delete, browser.user_id, COMMAND_LINE)
    assert site.user_count() == 0


def test_only_its_person_lifts_what_they_asked_for(site, browser):
    browser.sign_in("google", "ada")
    site.execute("UPDATE oauth SET suspended_at = linked_at, suspended_reason = 'not_me'")
    take(site, notice(site, Kind.ENABLED))
    page = site.browser().sign_in("google", "ada")
    assert page.alert == "Signing in with Google is paused here"
