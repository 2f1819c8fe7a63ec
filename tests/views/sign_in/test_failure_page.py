"""The page of a failure can be reloaded: its address holds neither code nor state."""

import pytest

from tests.browser import Browser, Page, query_of
from tests.site import Site

FAILURES = [
    ("token:html", 502, "Google couldn't complete the sign-in"),
    ("token:status_500", 502, "Google isn't answering"),
    ("token:refuses_client", 502, "Google sign-in isn't working on this site"),
]


def fail(browser: Browser, behave: str, provider: str = "google", **query: str) -> Page:
    return browser.sign_in(provider, "ada", behave, **query)


@pytest.mark.parametrize(("behave", "status", "alert"), FAILURES)
def test_a_failure_page_can_be_reloaded(browser, behave, status, alert):
    page = fail(browser, behave)
    assert (page.path, page.status, page.alert) == ("/login", status, alert)
    assert not {"code", "state", "error"} & set(query_of(page.url))
    again = browser.get(page.url)
    assert (again.status, again.alert, again.text) == (status, alert, page.text)


def test_a_cancelled_and_a_foreign_callback_have_a_page_that_can_be_reloaded(browser):
    for page in (
        browser.cancel("google"),
        browser.get("/login/google/authorized?code=x&state=made-up"),
        browser.get("/login/google/authorized?error=server_error&state=made-up"),
    ):
        again = browser.get(page.url)
        assert (again.status, again.alert, again.text) == (page.status, page.alert, page.text)
        assert page.alert
        assert set(query_of(page.url)) == {"failed"}


def test_without_cookies_the_page_says_so_after_a_reload_too(site, browser):
    callback = browser.choose(browser.begin("google"), "ada")
    page = site.browser().get(callback)
    assert page.alert == "Your browser is blocking cookies"
    assert site.browser().get(page.url).alert == page.alert


def test_the_failure_page_keeps_the_way_on(browser):
    page = fail(browser, "profile:slow", "github", next="/account/activity")
    assert browser.get(page.url).status == page.status
    retry = next(link for link in page.links() if link.startswith("/login/github"))
    assert query_of(retry)["next"] == "/account/activity"


def test_a_failed_link_can_be_tried_again_after_a_reload(browser):
    browser.sign_in("google", "grace")
    page = browser.link("github", "grace", "token:html")
    page = browser.get(page.url)
    assert page.heading == "Add a sign-in method"
    answer = browser.fetch(page.actions()[0], "POST", data={"csrf_token": page.csrf_token})
    assert "connected" in browser.get(browser.choose(answer.onward, "grace")).message


def test_a_failure_is_counted_and_logged_once(site, browser, caplog):
    page = fail(browser, "token:html")
    browser.get(page.url)
    lines = [line for line in caplog.messages if "'refused'" in line]
    assert len(lines) == 1
    assert page.text.partition("Reference ")[2][:9] in lines[0]


@pytest.mark.parametrize("change", ["x", "", "1.2.3"])
def test_an_altered_failure_shows_the_usual_page(browser, change):
    sealed = query_of(fail(browser, "token:html").url)["failed"]
    for value in (change, sealed[:-4], f"{sealed[:30]}zz{sealed[32:]}"):
        page = browser.get("/login", params={"failed": value})
        assert (page.status, page.alert) == (200, "")


def test_an_old_failure_shows_the_usual_page(browser, monkeypatch):
    page = fail(browser, "token:html")
    monkeypatch.setattr("web.failure_page.SHOWN_SECONDS", 0)
    assert browser.get(page.url).alert == ""


def test_after_too_many_attempts_the_callback_itself_can_be_reloaded(make_site):
    """Its code is not spent."""
    site: Site = make_site(REFUSALS_PER_MINUTE="1")
    browser = site.browser()
    callback = browser.choose(browser.begin("google"), "ada")
    for _ in range(2):
        browser.get("/login/google/authorized?code=x&state=made-up")
    page = browser.fetch(callback)
    assert (page.status, page.alert) == (429, "Too many attempts")
    site.app.extensions["quickstep"].limits._limiter.storage.reset()
    assert browser.fetch(callback).location == "/account"
