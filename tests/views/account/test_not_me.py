"""The link "This wasn't me" of a mail, the hold that follows, and "It's mine again"."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts import alarms, cleanup
from accounts.alarms import AlarmKind
from storage import atomic
from tests.browser import Browser, Page
from tests.site import Site

HELD = "Changes to this account are on hold"


@pytest.fixture
def thief(site: Site) -> Browser:
    return site.browser()


def newest(site: Site, table: str, column: str) -> str:
    """The id of the newest row."""
    return str(site.rows(f"SELECT id FROM {table} ORDER BY {column} DESC")[0][0])


def link_of(site: Site, kind: str, user_id: str | None = None) -> str:
    """The path of a mail about what happened last, as the verb of that event makes it."""
    user_id = user_id or str(site.rows("SELECT id FROM users")[0][0])
    facts = {
        "identity_id": newest(site, "oauth", "linked_at"),
        "session_id": newest(site, "sessions", "created_at"),
    }
    return f"/not-me/{site.inside(atomic(alarms.begin), user_id, kind, **facts)}"


def press(site: Site, link: str) -> Page:
    """Open a link in a browser that knows nothing, and press its button."""
    reader = site.browser()
    return reader.fetch(link, "POST", data={"proof": reader.get(link).hidden("proof")})


def age(site: Site, days: int) -> None:
    at = (datetime.now(UTC) - timedelta(days=days)).replace(tzinfo=None).isoformat(" ")
    site.execute("UPDATE alarms SET created_at = :at", at=at)


def state(site: Site) -> list[Any]:
    tables = ("users", "oauth", "sessions", "events", "alarms", "ended_sessions")
    return [sorted(map(repr, site.rows(f"SELECT * FROM {name}"))) for name in tables]


def test_looking_at_a_link_changes_nothing_and_says_what_happened(site, browser, thief):
    browser.sign_in("google", "ada")
    thief.sign_in("google", "ada")
    link = link_of(site, AlarmKind.NEW_DEVICE)
    before = state(site)
    reader = site.browser()
    for method in ("GET", "HEAD", "OPTIONS") * 4:
        page = reader.fetch(
            link, method, headers={"Sec-Purpose": "prefetch", "Purpose": "prefetch"}
        )
        assert page.status == 200
    page = reader.get(link)
    assert state(site) == before
    assert page.heading == "Wasn't this you?"
    assert "Somebody signed in to your Quickstep account with Google from Firefox on" in page.text
    assert "That device is signed out." in page.text
    assert page.buttons == ["This wasn't me"]


def test_the_page_gives_nothing_away_and_signs_nobody_in(site, browser, thief):
    browser.sign_in("google", "ada")
    thief.sign_in("google", "ada")
    link = link_of(site, AlarmKind.NEW_DEVICE)
    reader = site.browser()
    shown = reader.get(link)
    pressed = reader.fetch(link, "POST", data={"proof": shown.hidden("proof")})
    for page in (shown, pressed, browser.fetch(link), browser.fetch("/not-me/unknown")):
        assert "Set-Cookie" not in page.headers
        assert "gmail.com" not in page.html
        assert "127.0.0.1" not in page.text
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert "no-store" in page.headers["Cache-Control"]
    for page in (shown, pressed):
        assert page.headers["X-Robots-Tag"] == "noindex"
    assert not reader.http.cookies
    assert reader.me() is None


def test_a_disowned_sign_in_is_signed_out_and_the_account_is_on_hold(site, browser, thief):
    browser.sign_in("google", "ada")
    thief.sign_in("google", "ada")
    link = link_of(site, AlarmKind.NEW_DEVICE)
    thief.sign_in("google", "ada")  # in the same browser, so it is the same sign-in
    page = press(site, link)
    assert page.heading == "Your account is safe from changes"
    assert "Go to Google itself." in page.text
    assert thief.me() is None
    assert "said that this sign-in was not theirs" in thief.get("/login").text
    assert browser.me()
    assert browser.link("github", "ada").alert == HELD
    assert "You said that a sign-in wasn't you" in browser.get("/account/activity").text


def test_a_link_acts_once(site, browser):
    browser.sign_in("google", "ada")
    link = link_of(site, AlarmKind.DOWNLOADED)
    forms = {"proof": site.browser().get(link).hidden("proof")}

    def send(_number):
        return site.browser().fetch(link, "POST", data=forms).heading

    with ThreadPoolExecutor(4) as pool:
        headings = sorted(pool.map(send, range(4)))
    assert headings == ["You told us already"] * 3 + ["Your account is safe from changes"]
    assert site.browser().get(link).heading == "You told us already"
    assert site.rows("SELECT count(*) FROM events WHERE kind = 'not_me'") == [(1,)]


def test_a_form_that_is_not_that_of_the_page_does_nothing(site, browser):
    browser.sign_in("google", "ada")
    link, other_link = (link_of(site, AlarmKind.DOWNLOADED) for _ in range(2))
    proof = site.browser().get(other_link).hidden("proof")
    for form in ({}, {"proof": ""}, {"proof": "é"}, {"proof": proof}):
        assert site.browser().fetch(link, "POST", data=form).status == 403
    assert site.rows("SELECT used_at FROM alarms") == [(None,), (None,)]
    assert browser.me()


def test_a_link_is_good_for_fourteen_days(site, browser):
    browser.sign_in("google", "ada")
    link = link_of(site, AlarmKind.IDENTITY_LINKED)
    proof = site.browser().get(link).hidden("proof")
    age(site, 15)
    page = site.browser().fetch(link, "POST", data={"proof": proof})
    assert (page.status, page.heading) == (410, "This link is too old")
    assert browser.me()
    assert site.rows("SELECT held_at FROM users") == [(None,)]
    site.inside(cleanup.run_now)
    assert site.browser().get(link).status == 410
    age(site, 31)
    site.inside(cleanup.run_now)
    assert site.browser().get(link).status == 404


def test_a_link_reaches_its_own_person_only(site, browser, other):
    browser.sign_in("google", "ada")
    link = link_of(site, AlarmKind.IDENTITY_LINKED)
    other.sign_in("google", "grace")
    other.fetch(link, "POST", data={"proof": other.get(link).hidden("proof")})
    assert browser.me() is None
    assert other.me()
    assert other.get("/account/hold").path == "/account"


def test_an_address_that_presses_too_often_has_to_wait(site, browser):
    browser.sign_in("google", "ada")
    link = link_of(site, AlarmKind.DOWNLOADED)
    statuses = [site.browser().fetch(link, "POST").status for _ in range(11)]
    assert statuses == [403] * 10 + [429]
    assert site.browser().get(link).status == 200


def test_a_disowned_identity_opens_nothing_and_an_older_one_lifts_the_hold(site, browser, thief):
    browser.sign_in("google", "ada")
    browser.link("github", "grace")
    link = link_of(site, AlarmKind.IDENTITY_LINKED)
    thief.sign_in("github", "grace")
    page = press(site, link)
    assert "GitHub can't be used to sign in to this account any more." in page.text
    assert thief.me() is browser.me() is None
    assert thief.sign_in("github", "grace").alert == "Signing in with GitHub is paused here"
    assert site.user_count() == 1
    browser.sign_in("google", "ada")
    account = browser.get("/account")
    assert HELD in account.text
    assert "Paused: it can't be used to sign in." in account.text
    for answer in (
        browser.link("facebook", "ada"),
        browser.unlink(browser.identity("github")),
        browser.post("/account/data"),
        browser.post("/account/delete", confirm="DELETE"),
    ):
        assert answer.alert == HELD
    assert site.user_count() == 1
    page = browser.get("/account/hold")
    assert page.buttons == ["It's mine again"]
    assert browser.post("/account/hold", page).message == (
        "Changes to your account are possible again."
    )
    assert site.browser().sign_in("github", "grace").alert, "it stays paused"
    browser.unlink(browser.identity("github"))
    assert browser.providers() == ["google"]


def test_what_was_disowned_by_mistake_can_be_taken_back(site, browser):
    browser.sign_in("google", "ada")
    browser.link("github", "grace")
    press(site, link_of(site, AlarmKind.IDENTITY_LINKED))
    browser.sign_in("google", "ada")
    page = browser.get("/account/hold")
    (mine,) = re.findall(r'name="mine" value="([^"]+)"', page.html)
    browser.post("/account/hold", page, mine=mine)
    again = site.browser()
    again.sign_in("github", "grace")
    assert again.me()


def test_only_a_new_sign_in_with_what_was_there_before_lifts_a_hold(site, browser, thief):
    browser.sign_in("google", "ada")
    thief.sign_in("google", "ada")
    link = link_of(site, AlarmKind.NEW_DEVICE)
    browser.link("github", "grace")  # after the event, so it says nothing about who the owner is
    press(site, link)
    for provider in ("", "github"):
        if provider:
            browser.sign_in("github", "grace")
        page = browser.get("/account/hold")
        assert "sign in again with a sign-in method that the account had before" in page.text
        assert page.buttons == ["Continue with Google"]
        assert browser.post("/account/hold", page).alert == HELD
    assert site.rows("SELECT held_reason FROM users") == [("not_me",)]
    browser.sign_in("google", "ada")
    browser.post("/account/hold", browser.get("/account/hold"))
    assert site.rows("SELECT held_reason FROM users") == [(None,)]


def test_an_account_that_swallowed_another_can_be_stopped_by_the_mail_of_that(site, browser, thief):
    """The thief gets into Ada's account, and merges it into their own, older one."""
    browser.sign_in("google", "ada")
    thief.sign_in("github", "grace")
    ada = site.rows("SELECT user_id FROM oauth WHERE provider = 'google'")[0][0]
    link = link_of(site, AlarmKind.CONNECTED_TO_APP, ada)
    thief.answer(thief.link("google", "ada"), "merge")
    assert thief.providers() == ["github", "google"]
    press(site, link)
    assert thief.me() is None
    thief.sign_in("github", "grace")
    assert thief.post("/account/hold", thief.get("/account/hold")).alert == HELD
    browser.sign_in("google", "ada")
    browser.post("/account/hold", browser.get("/account/hold"))
    assert site.rows("SELECT held_reason FROM users") == [(None,)]


def test_a_hold_keeps_automatic_linking_out(make_site):
    site = make_site(ACCOUNT_LINKING="auto")
    site.browser().sign_in("google", "ada")
    press(site, link_of(site, AlarmKind.DOWNLOADED))
    newcomer = site.browser()
    assert newcomer.sign_in("github", "ada").alert == HELD
    assert newcomer.me() is None
    assert site.rows("SELECT count(*) FROM oauth") == [(1,)]


def test_a_disowned_identity_does_not_confirm_who_somebody_is(site, browser):
    browser.sign_in("google", "ada")
    browser.link("github", "grace")
    github = browser.identity("github")
    press(site, link_of(site, AlarmKind.IDENTITY_LINKED))
    browser.sign_in("google", "ada")
    page = browser.get("/account/reauth?always=1")
    form = {"csrf_token": page.csrf_token, "next": "/account"}
    answer = browser.fetch(f"/account/reauth/{github}", "POST", data=form)
    page = browser.get(browser.choose(answer.onward, "grace"))
    assert page.alert == "Signing in with GitHub is paused here"
