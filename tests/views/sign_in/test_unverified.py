"""A newcomer whose address is unverified: it opens, joins and reveals no account."""

import re

import pytest

from tests.site import Site
from tests.views.test_statements import Statements


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


def look_of(site: Site, statements: Statements, before: str) -> tuple[int, str, str, list[str]]:
    """What a newcomer with an unverified address meets, and what the database is asked."""
    site.execute("UPDATE oauth SET email = :email, email_key = :email", email=before)
    site.execute("DELETE FROM oauth WHERE provider = 'facebook'")
    browser = site.browser()
    callback = browser.choose(browser.begin("facebook"), "ada")
    statements.seen.clear()
    page = browser.fetch(callback)
    asked = [" ".join(sql.split()[:4]) for sql in statements.seen]
    text = browser.get(page.location).text + browser.get("/account").text
    told = re.sub(r"[0-9A-Z]{4}-[0-9A-Z]{4}", "", text)
    return page.status, page.location.partition("=")[0], told, asked


@pytest.mark.parametrize("signups", ["open", "closed"])
def test_an_unverified_address_tells_nobody_whether_it_has_an_account(make_site, signups):
    """The same responses, the same page, the same work."""
    site = make_site()
    site.browser().sign_in("google", "ada")
    site.restart(SIGNUPS=signups)
    statements = Statements(site)
    look_of(site, statements, "other@gmail.com")  # so that everything is loaded
    known = look_of(site, statements, "ada@gmail.com")
    assert known[3]
    assert known == look_of(site, statements, "other@gmail.com")


def test_a_newcomer_with_an_unverified_address_is_told_how_to_reach_an_older_account(site):
    first, browser = site.browser(), site.browser()
    assert first.sign_in("google", "ada").path == "/account"
    told = "If you had an account here before"
    assert told in browser.sign_in("facebook", "ada").text
    assert told not in first.get("/account").text
    first.answer(first.link("facebook", "ada"), "merge")
    assert first.providers() == ["facebook", "google"]
    assert told not in first.get("/account").text
