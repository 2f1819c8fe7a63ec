"""A newcomer whose address is unverified: it opens, joins and reveals no account."""

import re

import pytest
from sqlalchemy import event

from storage.engine import engine_of
from tests.site import Site


@pytest.mark.parametrize(("provider", "person"), [("facebook", "ada"), ("github", "mallory")])
def test_an_unverified_address_learns_nothing_and_joins_nothing(site, provider, person):
    """nOAuth; Casdoor CVE-2026-9092: anybody can claim an unverified address."""
    site.browser().sign_in("google", "ada")
    ada = site.browser()
    page = ada.sign_in(provider, person)
    assert page.path == "/account"
    assert ada.providers() == [provider]
    assert site.user_count() == 2
    assert site.browser().sign_in("google", "ada").path == "/account"


def look_of(site: Site, before: str) -> tuple[list[tuple[int, str]], str, int]:
    """What a newcomer with an unverified address meets: responses, the last page, statements."""
    site.execute("UPDATE oauth SET email = :email, email_key = :email", email=before)
    site.execute("DELETE FROM oauth WHERE provider = 'facebook'")
    browser, responses = site.browser(), []
    callback = browser.choose(browser.begin("facebook"), "ada")
    statements = 0

    def count(*_facts: object) -> None:
        nonlocal statements
        statements += 1

    engine = engine_of(site.app)
    event.listen(engine, "before_cursor_execute", count)
    page = browser.fetch(callback)
    event.remove(engine, "before_cursor_execute", count)
    responses.append((page.status, page.location))
    return (
        responses,
        re.sub(r"[0-9A-Z]{4}-[0-9A-Z]{4}", "", browser.get("/account").text),
        statements,
    )


@pytest.mark.parametrize("signups", ["open", "closed"])
def test_an_unverified_address_tells_nobody_whether_it_has_an_account(make_site, signups):
    """The same responses, the same page, the same work."""
    site = make_site()
    site.browser().sign_in("google", "ada")
    site.restart(SIGNUPS=signups)
    look_of(site, "other@gmail.com")  # so that everything is loaded
    assert look_of(site, "ada@gmail.com") == look_of(site, "other@gmail.com")


def test_a_newcomer_with_an_unverified_address_is_told_how_to_reach_an_older_account(site):
    first, browser = site.browser(), site.browser()
    assert first.sign_in("google", "ada").path == "/account"
    told = "If you had an account here before"
    assert told in browser.sign_in("facebook", "ada").text
    assert told not in first.get("/account").text
    first.answer(first.link("facebook", "ada"), "merge")
    assert first.providers() == ["facebook", "google"]
    assert told not in first.get("/account").text
