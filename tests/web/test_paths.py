"""A host that is shared with an application: a prefix for all routes, and one for our files."""

import re

import pytest
import requests

from tests.browser import Browser, query_of
from tests.site import Site, Sites

PREFIX = "/sso"


@pytest.fixture
def shared(make_site: Sites) -> Site:
    site = make_site(PATH_PREFIX=PREFIX, CORS_ORIGINS="")
    for provider in ("google", "github", "facebook"):
        look_alike = getattr(site.simulator, provider)
        look_alike.register(f"{site.url}{PREFIX}/login/{provider}/authorized")
    return site


def addresses(browser: Browser, path: str) -> list[str]:
    """The addresses of this site that a page names."""
    page = browser.get(path)
    assert page.status == 200
    found = [*page.links(), *page.actions()]
    found += [part.partition('"')[0] for part in page.html.split('src="')[1:]]
    found += [part.partition('"')[0] for part in page.html.split("<link rel")[1:]]
    return [each for each in found if each.startswith("/")]


def test_with_a_prefix_people_sign_in_link_and_sign_out_below_it(shared):
    browser = shared.browser()
    assert browser.get(f"{PREFIX}/account/activity").path == f"{PREFIX}/login"
    begun = browser.fetch(f"{PREFIX}/login/google?next={PREFIX}/account/activity")
    assert query_of(begun.location)["redirect_uri"] == (
        f"{shared.url}{PREFIX}/login/google/authorized"
    )
    page = browser.get(browser.choose(begun.location, "grace"))
    assert page.path == f"{PREFIX}/account/activity"
    page = browser.get(f"{PREFIX}/account")
    linking = browser.post(f"{PREFIX}/account/link/github", page)
    page = browser.get(browser.choose(linking.onward, "grace"))
    assert page.path == f"{PREFIX}/account"
    assert browser.fetch(f"{PREFIX}/api/v1/me").response.json()["name"] == "Grace Hopper"
    assert browser.post(f"{PREFIX}/logout", page).path == f"{PREFIX}/login"


def test_with_a_prefix_every_link_of_a_page_is_below_it(shared):
    browser = shared.browser()
    found = addresses(browser, f"{PREFIX}/login")
    browser.get(browser.choose(browser.fetch(f"{PREFIX}/login/google").location, "grace"))
    for path in ("account", "account/activity", "account/profile", "account/sessions", "docs"):
        found += addresses(browser, f"{PREFIX}/{path}")
    assert len(found) > 40
    assert [each for each in found if not each.startswith(f"{PREFIX}/")] == []


def test_with_a_prefix_a_page_that_asks_to_sign_in_again_leads_back_below_it(shared):
    browser = shared.browser()
    browser.get(browser.choose(browser.fetch(f"{PREFIX}/login/google").location, "grace"))
    shared.execute("UPDATE sessions SET authenticated_at = '2026-01-01 00:00:00.000000'")
    page = browser.get(f"{PREFIX}/account/data")
    assert page.path == f"{PREFIX}/account/reauth"
    assert "You're about to download your data." in page.text
    assert browser.reauth(page, "grace").path == f"{PREFIX}/account/data"


def test_with_a_prefix_the_old_paths_go_on_working(shared):
    for path in ("/login", "/livez", "/openapi.json", "/static/app.css", f"{PREFIX}/livez"):
        assert requests.get(shared.url + path, timeout=30).status_code == 200
    assert requests.get(f"{shared.url}/api/v1/me", timeout=30).status_code == 401
    for path in ("/ssologin", f"{PREFIX}/metrics", f"{PREFIX}/readyz", f"{PREFIX}/sso/login"):
        assert requests.get(shared.url + path, timeout=30).status_code == 404


def test_with_a_prefix_a_failure_page_and_the_api_name_addresses_below_it(shared):
    browser = shared.browser()
    page = browser.get(f"{PREFIX}/login/google/authorized?code=x&state=made-up")
    assert (page.path, page.status) == (f"{PREFIX}/login", 400)
    document = browser.fetch(f"{PREFIX}/openapi.json").response.json()
    assert document["servers"] == [{"url": f"{shared.url}{PREFIX}"}]
    items = browser.fetch(f"{PREFIX}/api/v1/providers").response.json()["items"]
    assert all(each["url"].startswith(f"{shared.url}{PREFIX}/login/") for each in items)


@pytest.mark.parametrize("path", ["/login", "/nowhere", "/docs"])
def test_our_files_have_a_prefix_that_no_application_uses(browser, path):
    """An application on the same host has /static for its own files."""
    html = browser.get(path).html
    assert "/static/app.css" in html or "/static/docs.css" in html
    assert '"/static/' not in html
    assert '"/_quickstep/static/' in html


def test_the_old_addresses_of_our_files_go_on_working(site):
    for name in ("app.css", "app.js", "icon.svg"):
        answers = [
            requests.get(f"{site.url}{root}/static/{name}", timeout=30)
            for root in ("", "/_quickstep")
        ]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].content == answers[1].content


def test_the_address_of_every_route_can_be_built(site):
    """Werkzeug notices a faulty route when it compiles it, which here is at the first use."""
    for route in site.app.url_map.iter_rules():
        values = dict.fromkeys(route.arguments, "a b")
        address = re.sub(r"<[^>]+>", "a%20b", route.rule)
        assert route.build({**values, "more": "c"}) == ("", f"{address}?more=c")
        assert route.build(values, append_unknown=False) == ("", address)
