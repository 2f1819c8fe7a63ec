"""Expired rows of the OpenID Provider are deleted; what a replay must meet is kept."""

from tests.commands.console import answer
from tests.issuer.relying_party import App
from tests.site import Site

PAST = "'2026-01-01 00:00:00+00:00'"


def count(site: Site, table: str) -> int:
    return int(site.rows(f"SELECT count(*) FROM {table}")[0][0])


def test_expired_rows_are_deleted_and_others_stay(both):
    browser = both.browser()
    browser.sign_in("google", "grace")
    app = App(both)
    tokens = app.tokens(browser)
    app.sign_in(browser)  # a code that nobody exchanges
    app.ask(browser, prompt="consent")  # a question that nobody answers
    both.execute(f"UPDATE authorization_requests SET expires_at = {PAST}")
    both.execute(f"UPDATE grants SET code_expires_at = {PAST}")
    deleted = answer(both, "purge")["deleted"]
    assert deleted["authorization_requests"] == 1
    assert deleted["grants"] == 1
    assert deleted["access_tokens"] == 0
    assert app.is_active(tokens.access)
    both.execute(f"UPDATE access_tokens SET expires_at = {PAST}")
    assert answer(both, "purge")["deleted"]["access_tokens"] == 1
    assert app.refresh(tokens.refresh).status == 200


def test_an_ended_grant_is_kept_for_a_month(both):
    browser = both.browser()
    browser.sign_in("google", "grace")
    app = App(both)
    app.tokens(browser)
    browser.sign_out()
    assert answer(both, "purge")["deleted"]["grants"] == 0
    both.execute(f"UPDATE grants SET ended_at = {PAST}")
    assert answer(both, "purge")["deleted"]["grants"] == 1
    assert count(both, "access_tokens") == 0
