"""Two acts that cross, in real browsers at the same moment: one wins, the other is told."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.accounts.desk import Desk, assertion
from tests.browser import Browser, Page
from tests.site import Site

ROUNDS = 3
ENGINES = pytest.mark.parametrize("database", ["sqlite", "postgresql"])


def two_accounts(site: Site) -> tuple[Browser, Browser]:
    site.execute("DELETE FROM users")
    first, second = site.browser(), site.browser()
    first.sign_in("google", "grace")
    second.sign_in("github", "linus")
    return first, second


def send_together(*sent: tuple[Browser, str, dict[str, str]]) -> list[Page]:
    with ThreadPoolExecutor(len(sent)) as pool:
        calls = [
            pool.submit(browser.fetch, path, "POST", data=form) for browser, path, form in sent
        ]
        return [call.result(60) for call in calls]


def answer_to(page: Page) -> dict[str, str]:
    return {"csrf_token": page.csrf_token, "flow": page.hidden("flow"), "answer": "merge"}


@ENGINES
def test_two_merges_that_cross_end_in_one_account_and_tell_the_other_browser(make_site, database):
    site = make_site(database)
    for _ in range(ROUNDS):
        first, second = two_accounts(site)
        asked = first.link("github", "linus"), second.link("google", "grace")
        pages = send_together(
            (first, "/login/confirm", answer_to(asked[0])),
            (second, "/login/confirm", answer_to(asked[1])),
        )
        won, lost = sorted(pages, key=lambda page: page.status)
        assert won.status == 303, pages
        assert won.location.endswith("/account")
        assert (lost.status, lost.alert) == (401, "This account was deleted") or (
            lost.status == 303 and "/login" in lost.location  # it came after the merge
        ), pages
        assert site.user_count() == 1
        assert len(site.rows("SELECT id FROM oauth")) == 2


@ENGINES
def test_a_double_click_on_delete_deletes_once_and_says_so_twice(make_site, database):
    site = make_site(database)
    for _ in range(ROUNDS):
        browser, _other = two_accounts(site)
        page = browser.get("/account/delete")
        twin = site.browser()
        twin.http.cookies = browser.http.cookies.copy()
        form = {"csrf_token": page.csrf_token, "confirm": "DELETE"}
        pages = send_together((browser, "/account/delete", form), (twin, "/account/delete", form))
        won, lost = sorted(pages, key=lambda each: "deleted" not in each.location)
        assert won.location.endswith("/account/deleted"), pages
        told = twin.get(lost.location) if lost.status in (302, 303) else lost
        assert "account was deleted" in told.text, pages
        assert site.user_count() == 1


def test_links_and_merges_that_cross_are_never_in_a_deadlock(make_site):
    """All verbs lock accounts in one order."""
    desk = Desk(make_site("postgresql"))
    for number in range(8):
        one, two = assertion("google", str(number)), assertion("github", str(number))
        ada, too = desk.account(one), desk.account(two)
        desk.at_once(
            partial(desk.link, ada.user_id, two),
            partial(desk.link, too.user_id, one),
            partial(desk.reauthenticate, ada.user_id, desk.identity(one), two),
            partial(desk.reauthenticate, too.user_id, desk.identity(two), one),
        )
        desk.at_once(partial(desk.merge, ada.user_id, two), partial(desk.merge, too.user_id, one))
    desk.check_nobody_was_in_deadlock()
