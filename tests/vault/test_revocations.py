"""Tokens of removed identities are revoked in the background, with retries."""

import threading

import pytest
from click.testing import Result
from sqlalchemy.exc import OperationalError

import providers
from jobs import worker
from simulator.catalogue import LOOK_ALIKES
from tests.browser import Browser
from tests.processes import until
from tests.site import Site
from vault import revocations

LONG_AGO = "2026-01-01 00:00:00.000000"
PROVIDERS = ("google", "facebook", "github")


def waiting(site) -> int:
    return int(site.inside(revocations.waiting).count)


def run(site: Site) -> Result:
    """Run the operator's command."""
    result: Result = site.app.test_cli_runner().invoke(args=["revocations", "run"])
    return result


def make_due(site) -> None:
    site.execute("UPDATE revocations SET due_at = :at", at=LONG_AGO)


def fail(
    site: Site, browser: Browser, provider: str = "google", answer: str = "status_503"
) -> None:
    """Remove an identity while its provider is down; then the process ends."""
    signed_in_with(browser, provider)
    look_alike = getattr(site.simulator, provider)
    look_alike.answers["revoke"] = answer
    browser.unlink(browser.identity(provider))
    until(lambda: "revoke" in look_alike.seen)
    site.app.extensions["jobs"].stop()
    assert site.rows("SELECT attempts FROM revocations") == [(1,)]


def signed_in_with(browser: Browser, provider: str) -> None:
    """Sign in Grace with this provider, and link another one."""
    browser.sign_in(provider, "grace")
    browser.link("google" if provider == "github" else "github", "grace")


BY_METADATA = {each.name for each in LOOK_ALIKES if getattr(each, "revoke_path", "")}
CAN_TAKE_BACK = [
    key
    for key, each in providers.PROVIDERS.items()
    if getattr(each.protocol, "revocation", None) or key in BY_METADATA
]


@pytest.mark.parametrize("key", CAN_TAKE_BACK)
def test_unlinking_revokes_the_provider_tokens(make_site, key):
    """Apple's rule 5.1.1(v); https://www.rfc-editor.org/rfc/rfc7009."""
    site = make_site(look_alikes=("google", "github", key))
    browser, look_alike = site.browser(), getattr(site.simulator, key)
    provider = providers.PROVIDERS[key].name
    signed_in_with(browser, provider)
    browser.unlink(browser.identity(provider))
    until(lambda: waiting(site) == 0)
    assert look_alike.revoked == ["grace"]
    assert not look_alike.tokens


def test_deleting_the_account_revokes_all_provider_tokens(browser, site):
    for provider in PROVIDERS:
        browser.link(provider, "grace") if browser.me() else browser.sign_in(provider, "grace")
    browser.post("/account/delete", browser.get("/account/delete"), confirm="DELETE")
    until(lambda: waiting(site) == 0)
    assert [getattr(site.simulator, each).revoked for each in PROVIDERS] == [["grace"]] * 3


def test_offline_access_is_revoked_with_its_refresh_token(make_site):
    site = make_site(GOOGLE_OFFLINE_ACCESS="1")
    browser = site.browser()
    signed_in_with(browser, "google")
    browser.unlink(browser.identity("google"))
    until(lambda: waiting(site) == 0)
    assert not site.simulator.google.refresh_tokens


def test_unlinking_does_not_wait_for_the_revocation(browser, site):
    signed_in_with(browser, "google")
    asked, may_answer = threading.Event(), threading.Event()
    note = site.simulator.google.note

    def hold(what: str) -> None:
        if what == "revoke":
            asked.set()
            may_answer.wait(10)
        note(what)

    site.simulator.google.note = hold
    assert browser.unlink(browser.identity("google")).message.startswith("Google removed.")
    assert asked.wait(10)
    assert waiting(site) == 1
    may_answer.set()
    until(lambda: waiting(site) == 0)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("answer", ["status_503", "hang_up", "status_429"])
def test_a_failed_revocation_is_retried_after_a_restart(make_site, provider, answer):
    site = make_site()
    browser = site.browser()
    fail(site, browser, provider, answer)
    look_alike = getattr(site.simulator, provider)
    site.restart()
    assert waiting(site) == 1
    assert run(site).output == "waiting: 1\n"
    make_due(site)
    result = run(site)
    assert (result.output, result.exit_code) == ("postponed: 1\nwaiting: 1\n", 1)
    del look_alike.answers["revoke"]
    make_due(site)
    result = run(site)
    assert (result.output, result.exit_code) == ("revoked: 1\nwaiting: 0\n", 0)
    assert look_alike.revoked == ["grace"]


def test_a_revocation_left_by_another_worker_is_done_after_a_later_request(make_site, monkeypatch):
    monkeypatch.setattr(worker, "LOOK_EVERY_SECONDS", 0)
    site = make_site()
    browser = site.browser()
    fail(site, browser)
    site.restart()
    site.simulator.google.answers.clear()
    make_due(site)
    browser.get("/login")
    until(lambda: waiting(site) == 0)


def test_each_failure_doubles_the_delay_of_a_revocation(browser, site):
    fail(site, browser)
    waits = []
    for _ in range(12):
        make_due(site)
        run(site)
        waits.append(site.inside(revocations.seconds_to_next))
    assert [round(wait / 60) for wait in waits[:4]] == [2, 4, 8, 16]
    assert round(waits[-1] / 3600) == 6


def test_a_revocation_is_given_up_after_two_weeks_and_logged(browser, site, caplog):
    fail(site, browser)
    site.execute("UPDATE revocations SET created_at = :at", at=LONG_AGO)
    make_due(site)
    assert run(site).output == "given_up: 1\nwaiting: 0\n"
    (line,) = [record.msg for record in caplog.records if record.levelname == "ERROR"]
    assert (line["event"], line["provider"], line["end"]) == ("revocation", "google", "given_up")


@pytest.mark.parametrize("error", [RuntimeError("a bug"), KeyError("x"), RecursionError()])
def test_a_revocation_that_fails_by_a_bug_stops_no_other_and_is_given_up_too(
    browser, site, caplog, monkeypatch, error
):
    fail(site, browser)
    other = site.browser()
    other.sign_in("github", "linus")
    other.link("facebook", "linus")
    other.unlink(other.identity("github"))

    def broken(_token: object) -> None:
        raise error

    monkeypatch.setattr(site.app.extensions["quickstep"].connectors["google"], "revoke", broken)
    make_due(site)
    result = run(site)
    assert "revoked: 1" in result.output
    assert result.output.endswith("waiting: 1\n")
    assert "outbox_failed" in caplog.text
    site.execute("UPDATE revocations SET created_at = :at", at=LONG_AGO)
    make_due(site)
    caplog.clear()
    assert run(site).output == "given_up: 1\nwaiting: 0\n"
    ends = [record.msg for record in caplog.records if record.levelname == "ERROR"]
    assert (ends[-1]["end"], ends[-1]["detail"]) == ("given_up", type(error).__name__)


def test_a_database_that_is_away_gives_up_no_revocation(browser, site, monkeypatch):
    fail(site, browser)
    site.execute("UPDATE revocations SET created_at = :at", at=LONG_AGO)
    make_due(site)

    def away(*_args: object) -> bool:
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(revocations, "_is_linked", away)
    assert run(site).exit_code == 1
    assert waiting(site) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_token_that_the_provider_no_longer_knows_counts_as_revoked(browser, site, provider):
    signed_in_with(browser, provider)
    look_alike = getattr(site.simulator, provider)
    look_alike.tokens.clear()
    browser.unlink(browser.identity(provider))
    until(lambda: waiting(site) == 0)
    assert "revoke" in look_alike.seen


def test_a_user_who_signs_in_again_keeps_the_new_token(browser, other, site):
    """A provider keeps one consent per user, so revoking the old token would end the new one."""
    fail(site, browser)
    other.answer(other.sign_in("google", "grace"), "create")
    browser.link("google", "grace")
    site.simulator.google.answers.clear()
    make_due(site)
    assert run(site).output == "linked_again: 1\nwaiting: 0\n"
    assert site.simulator.google.revoked == []


def test_a_revocation_waits_until_its_provider_is_configured_again(make_site):
    site = make_site()
    browser = site.browser()
    fail(site, browser)
    site.simulator.google.answers.clear()
    site.restart(GOOGLE_CLIENT_ID="", GOOGLE_CLIENT_SECRET="")
    make_due(site)
    assert run(site).output == "postponed: 1\nwaiting: 1\n"
    site.restart(GOOGLE_CLIENT_ID="look-alike-google-client", GOOGLE_CLIENT_SECRET="wrong")
    make_due(site)
    assert run(site).output == "postponed: 1\nwaiting: 1\n"
    site.restart(GOOGLE_CLIENT_SECRET="look-alike-google-secret")
    make_due(site)
    assert run(site).output == "revoked: 1\nwaiting: 0\n"


def test_an_issuer_without_a_revocation_endpoint_is_not_called(browser, site):
    site.simulator.google.metadata_changes["revocation_endpoint"] = None
    signed_in_with(browser, "google")
    browser.unlink(browser.identity("google"))
    until(lambda: waiting(site) == 0)
    assert "revoke" not in site.simulator.google.seen


def test_a_refused_unlinking_revokes_nothing(browser, site):
    """The outbox row is written in the transaction that removes the identity."""
    browser.sign_in("google", "grace")
    assert browser.unlink(browser.identity("google")).status == 409
    assert site.rows("SELECT count(*) FROM revocations") == [(0,)]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_of_several_workers_one_revokes_a_token(make_site, database):
    site = make_site(database)
    people = [site.browser() for _ in range(4)]
    for number, browser in enumerate(people):
        browser.sign_in("google", ("grace", "linus", "uma", "noa")[number])
        browser.link("github", ("grace", "linus", "uma", "noa")[number])
    google = site.simulator.google
    google.answers["revoke"] = "status_503"
    for browser in people:
        browser.unlink(browser.identity("google"))
    until(lambda: google.seen.count("revoke") == 4)
    site.app.extensions["jobs"].stop()
    google.answers.clear()
    make_due(site)
    barrier = threading.Barrier(4)

    def work() -> None:
        barrier.wait(10)
        run(site)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert sorted(google.revoked) == ["grace", "linus", "noa", "uma"]
    assert google.seen.count("revoke") == 8


def test_the_outbox_holds_no_readable_token(browser, site):
    signed_in_with(browser, "github")
    (token,) = site.simulator.github.tokens
    site.simulator.github.answers["revoke"] = "status_503"
    browser.unlink(browser.identity("github"))
    ((row,),) = site.rows("SELECT sealed FROM revocations")
    assert token not in row
    until(lambda: "revoke" in site.simulator.github.seen)
