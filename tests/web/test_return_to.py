"""Where people may be sent afterwards: this site, and pages of the origins in CORS_ORIGINS."""

import html
import re

import pytest

from tests.browser import Page, query_of
from tests.views.api.client import faults, problem, send
from web.return_to import return_target

APP = "https://app.example.org"
PORT = "http://localhost:3000"
V6 = "http://[::1]:3000"
PAGES = (
    *(APP, f"{APP}/", f"{APP}/after?a=b&c=%20#/route", f"{APP}?x=[1]", f"{APP}#_=_", f"{APP}//x"),
    *(f"{APP}/@evil.example", f"{APP}/?u=https://evil.example", f"{PORT}/", f"{V6}/done"),
)
HOSTILE = (
    *(f"{APP}.evil.example/", f"{APP}@evil.example/", f"{APP}:443@evil.example", f"{APP}:1/"),
    *(f"{APP}%2f@evil.example", f"{APP}%40evil.example/", f"{APP}%00.evil.example"),
    *(f"{APP}\\@evil.example", f"{APP}\\.evil.example", f"{APP}/\\evil.example", f"{APP}\\"),
    *(f" {APP}/", f"{APP}/ ", f"{APP}/\t", f"{APP}/\r\nSet-Cookie: a=b", f"{APP}\n.evil.example"),
    *(f"{APP}\t.evil.example/", "https://app.exa\tmple.org/", f"\x01{APP}/", f"{APP}/\x00"),
    *("HTTPS://app.example.org/", "https://APP.example.org/", f"{APP}./", f"{APP}:443/"),
    *("https://user@app.example.org/", "https://user:pw@app.example.org/", f"{APP}:/"),
    *("https:app.example.org", "https:/app.example.org", "https:///app.example.org/"),
    *("https:\\\\app.example.org", "//app.example.org/", "http://app.example.org/"),
    *("https://sub.app.example.org/", "https://example.org/", "https://evil.example/#" + APP),
    *("https://evil.example/" + APP, "https://evil.example?" + APP, f"javascript://{APP}/%0aa"),
    *("javascript:alert(1)", "data:text/html,hi", f"blob:{APP}/x", f"view-source:{APP}/"),
    *(
        "https://xn--pp-6kc.example.org/",
        "https://\u0430pp.example.org/",
        "https://app。example.org/",
    ),
    *(f"{APP}/é", f"{APP}/<script>", f'{APP}/"x', f"{APP}/" + "a" * 3000, "null", "*", "https://"),
    *("http://localhost:3000@evil.example/", "http://localhost:30000/", "http://localhost/"),
    *("http://127.0.0.1:3000/", "http://[::1]/", "http://[::1]:3000.evil.example", "http://[::1"),
)


@pytest.fixture
def site(make_site):
    return make_site(CORS_ORIGINS=f"{APP},{PORT},{V6}")


def allowed(site, url: str) -> bool:
    with site.app.test_request_context("/"):
        return return_target(url, "refused") == url


def leads_to(page: Page) -> str:
    """Where the page of ours leads that goes on by itself; both of its ways are the same.

    A redirect would not do: a browser that comes from a form follows it to named origins only.
    """
    found = re.search(r'http-equiv="refresh" content="0;url=([^"]*)"', page.html)
    if found is None or page.status != 200:
        return page.location
    assert html.unescape(found[1]) in page.links()
    return html.unescape(found[1])


def test_people_may_be_sent_to_pages_of_registered_origins_only(site):
    assert [url for url in PAGES if not allowed(site, url)] == []
    assert [url for url in HOSTILE if allowed(site, url)] == []


def test_without_registered_origins_nobody_leaves_the_site(make_site):
    site = make_site()
    assert [url for url in (*PAGES, *HOSTILE) if allowed(site, url)] == []
    assert allowed(site, "/account/sessions")


@pytest.mark.parametrize("name", ["return_to", "next"])
@pytest.mark.parametrize("url", [APP, PAGES[2], f"{V6}/done"])
def test_a_sign_in_ends_at_the_page_of_the_registered_origin(browser, name, url):
    callback = browser.choose(browser.begin("google", **{name: url}), "ada")
    assert leads_to(browser.fetch(callback)) == url


@pytest.mark.parametrize("evil", [*HOSTILE[:12], "https://evil.example/"])
def test_a_sign_in_never_ends_at_another_origin(browser, evil):
    callback = browser.choose(browser.begin("google", return_to=evil), "ada")
    assert browser.fetch(callback).location == "/account"


def test_a_refused_return_address_is_in_the_log_by_its_origin(browser, caplog):
    browser.fetch(
        "/login/google", params={"return_to": "https://ada:secret@evil.example/?token=secret"}
    )
    (line,) = [
        each.getMessage() for each in caplog.records if "return_to_refused" in each.getMessage()
    ]
    assert "https://evil.example" in line
    assert "token=secret" not in line


def test_the_sign_in_page_keeps_the_way_back(browser):
    page = browser.get("/login", params={"return_to": f"{APP}/x"})
    begin = next(link for link in page.links() if link.startswith("/login/google"))
    assert query_of(begin)["next"] == f"{APP}/x"
    cancelled = browser.cancel("google", return_to=f"{APP}/x")
    again = next(link for link in cancelled.links() if link.startswith("/login/google"))
    callback = browser.choose(browser.fetch(again).location, "ada")
    assert leads_to(browser.fetch(callback)) == f"{APP}/x"


def test_a_question_on_the_way_leads_back_by_a_page_of_ours(browser):
    """Chromium blocks a redirect to another origin after a form."""
    browser.sign_in("google", "ada")
    page = browser.sign_in("github", "linus", return_to=f"{APP}/?a=b&c=d")
    answered = browser.answer(page, "switch")
    assert (answered.status, answered.heading) == (200, "Taking you back")
    assert leads_to(answered) == f"{APP}/?a=b&c=d"


def test_the_page_that_leads_back_tells_nobody_the_code_of_the_callback(browser):
    page = browser.fetch(browser.choose(browser.begin("google", return_to=f"{APP}/x"), "ada"))
    assert leads_to(page) == f"{APP}/x"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"


# What the API says of it.


def test_the_provider_list_fills_in_the_way_back(site, browser):
    page = browser.fetch("/api/v1/providers", params={"return_to": f"{APP}/x?y=z"})
    url = page.response.json()["items"][0]["url"]
    assert url.startswith(f"{site.url}/login/google?")
    assert query_of(url) == {"return_to": f"{APP}/x?y=z"}


def test_the_provider_list_refuses_a_way_back_that_would_be_ignored(browser):
    for evil in ("https://evil.example/", "//evil.example", ""):
        page = browser.fetch("/api/v1/providers", params={"return_to": evil})
        assert problem(page) == (400, "invalid_query")
        assert set(faults(page)) == {"return_to"}


@pytest.mark.parametrize(
    ("origin", "query"),
    [(APP, {"return_to": f"{APP}/"}), (f"{APP}.evil.example", {}), (f"{APP}/", {}), ("null", {})],
)
def test_reauth_required_leads_back_to_the_registered_origin(site, browser, origin, query):
    browser.sign_in("google", "grace")
    site.execute("UPDATE sessions SET authenticated_at = '2026-01-01 00:00:00.000000'")
    page = send(browser, "POST", "/api/v1/export", headers={"Origin": origin})
    assert problem(page) == (403, "reauth_required")
    url = page.response.json()["url"]
    assert url.startswith(f"{site.url}/account/reauth")
    assert query_of(url) == query


@pytest.mark.parametrize(("url", "end"), [(PAGES[2], PAGES[2]), (HOSTILE[1], "/account")])
def test_a_reauthentication_returns_to_the_registered_origin(site, browser, url, end):
    browser.sign_in("google", "grace")
    site.execute("UPDATE sessions SET authenticated_at = '2026-01-01 00:00:00.000000'")
    page = browser.reauth(browser.get("/account/reauth", params={"return_to": url}), "grace")
    assert end in (leads_to(page), page.path)


def test_the_sign_in_page_says_where_a_person_goes_on_to(browser):
    page = browser.get(f"/login?return_to={APP}/after")
    assert page.heading == "Sign in to continue to app.example.org"
    browser.sign_in("google", "grace")
    page = browser.get(f"/login?return_to={APP}/after")
    assert "Continue as Grace Hopper" in page.buttons
