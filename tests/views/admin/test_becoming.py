"""The link that makes its opener an administrator: once, for 15 minutes, for the right person."""

import threading
from itertools import cycle

from simulator.people import PEOPLE
from tests.browser import Browser
from tests.commands.console import answer, run
from tests.commands.test_users import id_of, sign_in
from tests.site import Site
from tests.views.account.test_reauthentication import grow_old


def make_link(site: Site) -> str:
    """The path of a new link."""
    url = run(site, "admin", "link").stdout.strip()
    assert url.startswith(f"{site.url}/admin/become/")
    return url.removeprefix(site.url)


def is_admin(browser: Browser) -> bool:
    return browser.fetch("/admin/people").status == 200


def test_the_first_who_confirms_is_an_administrator_and_nobody_after(both):
    link = make_link(both)
    grace, linus = sign_in(both, "grace"), sign_in(both, "linus")
    page, late = grace.get(link), linus.get(link)
    me = grace.me()
    assert me
    assert me["email"] in page.text
    assert not is_admin(grace), "opening it is not enough"
    done = grace.post(link, page)
    assert (done.path, done.message) == ("/admin/people", "You are an administrator of this site.")
    assert linus.post(link, late).status == 404
    assert grace.get(link).status == 404
    assert (is_admin(grace), is_admin(linus)) == (True, False)
    assert "Made an administrator" in grace.get("/account/activity").text
    acts = [(each["act"], each["user_id"]) for each in answer(both, "admin", "log")["items"]]
    assert acts == [("admin_made", id_of(grace)), ("admin_link_made", None)]


def test_of_twenty_who_confirm_at_once_one_becomes_an_administrator(both):
    link = make_link(both)
    people = [person for person, _ in zip(cycle(PEOPLE), range(20), strict=False)]
    browsers = [sign_in(both, person) for person in people]
    pages = [browser.get(link) for browser in browsers]
    threads = [
        threading.Thread(target=browser.post, args=(link, page))
        for browser, page in zip(browsers, pages, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (admin,) = both.rows("SELECT id FROM users WHERE admin_at IS NOT NULL")
    assert {id_of(browser) for browser in browsers if is_admin(browser)} == {admin[0]}


def test_a_link_that_is_used_expired_or_invented_looks_like_no_page(both):
    link = make_link(both)
    both.execute("UPDATE admin_links SET expires_at = :at", at="2026-01-01 00:00:00")
    for browser in (both.browser(), sign_in(both, "grace")):
        assert browser.fetch(link).status == 404
        assert browser.fetch("/admin/become/invented").status == 404
        assert browser.fetch("/admin/become/").status == 404
    assert run(both, "purge").exit_code == 0
    assert both.rows("SELECT count(*) FROM admin_links") == [(0,)]


def test_a_visitor_signs_in_first_and_comes_back(site):
    link = make_link(site)
    visitor = site.browser()
    page = visitor.get(link)
    assert page.path == "/login"
    page = visitor.sign_in("google", "grace", next=link)
    assert page.heading == "Become an administrator?"
    visitor.post(link, page)
    assert is_admin(visitor)


def test_a_link_needs_a_sign_in_of_the_last_minutes(site):
    """Whose account it is must be the opener's: somebody else may have signed this browser in."""
    link = make_link(site)
    grace = sign_in(site, "grace")
    page = grace.get(link)
    grow_old(site)
    assert grace.get(link).heading == "Confirm it's you"
    assert grace.post(link, page).heading == "Confirm it's you"
    assert not is_admin(grace)


def test_a_link_needs_a_post_with_a_csrf_token(site):
    link = make_link(site)
    grace = sign_in(site, "grace")
    assert grace.fetch(link, "POST").status == 400
    assert not is_admin(grace)


def test_the_database_does_not_hold_the_link(site):
    link = make_link(site)
    (row,) = site.rows("SELECT token_hash FROM admin_links")
    assert row[0] not in link
    assert link.rpartition("/")[2] not in str(site.rows("SELECT * FROM admin_links"))
