"""What a report costs, and what it leaves behind."""

import pytest

from tests.browser import Browser
from tests.commands.console import run
from tests.inbox import senders
from tests.site import Site
from tests.views.test_statements import Statements


def revoke(site: Site, subject: str):
    """Facebook reports that a person took the permission back."""
    return senders.facebook(site, "deauthorize", subject)


def subject_of(site: Site, browser: Browser) -> str:
    query = "SELECT subject FROM oauth WHERE user_id = :user_id"
    return str(site.rows(query, user_id=browser.user_id)[0][0])


def test_a_report_takes_few_statements_however_many_sessions_it_ends(site, browser):
    statements = Statements(site)
    browser.sign_in("facebook", "ada")
    for _ in range(4):
        site.browser().sign_in("facebook", "ada")
    subject = subject_of(site, browser)
    with statements.at_most(4):  # is it a copy, whose is it (twice: it may have moved), a receipt
        assert revoke(site, "nobody").status_code == 200
    with statements.at_most(12):  # the last but one: are there webhooks that are told
        assert revoke(site, subject).status_code == 200
    assert browser.me() is None


def test_nothing_of_a_person_is_left_in_receipts_and_log(site, browser, caplog):
    caplog.set_level("DEBUG")
    browser.sign_in("facebook", "ada")
    subject, user_id = subject_of(site, browser), browser.user_id
    caplog.clear()
    revoke(site, subject)
    receipts, log = str(site.rows("SELECT * FROM receipts")), caplog.text
    exported = run(site, "users", "export", user_id).stdout
    assert "provider_notice" in exported
    for said in (receipts, log):
        assert subject not in said
        assert "lovelace" not in said.lower()


@pytest.mark.parametrize("path", ["facebook/deauthorize", "facebook/delete"])
def test_while_the_database_is_away_the_provider_is_asked_to_send_again(site, browser, path):
    browser.sign_in("facebook", "ada")
    subject, act = subject_of(site, browser), path.partition("/")[2]
    site.execute("ALTER TABLE receipts RENAME TO away")
    answer = senders.facebook(site, act, subject, at=1700000000)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert browser.me()
    site.execute("ALTER TABLE away RENAME TO receipts")
    assert senders.facebook(site, act, subject).status_code == 200
    assert browser.me() is None
