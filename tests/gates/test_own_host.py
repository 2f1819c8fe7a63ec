"""Applications on PUBLIC_URL's own host, which need no gate: the session cookie is theirs too."""

from urllib.parse import urlsplit

import pytest
import requests

from tests.browser import Browser
from tests.commands.console import run
from tests.gates.front import FETCH, IDENTITY, NAVIGATION, add_gate
from tests.gates.test_check import lame
from tests.issuer.relying_party import query_of
from tests.site import Site, Sites


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest, make_site: Sites) -> Site:
    return make_site(str(request.param))


def ask(browser: Browser, page: str, kind: str = "traefik", **told: str) -> requests.Response:
    """Have a proxy ask, without the name of a gate, about a page at the host of the site."""
    parts = urlsplit(page)
    about = {
        "X-Forwarded-Proto": parts.scheme,
        "X-Forwarded-Host": parts.netloc,
        "X-Forwarded-Uri": parts.path,
    }
    if kind == "nginx":
        about = {"X-Original-URL": page, "X-Original-Method": "GET"}
    path = told.pop("path", "/forward-auth")
    return browser.fetch(path, headers={**FETCH, **about, **told}).response


def other_port(site: Site) -> str:
    return f"http://{urlsplit(site.url).hostname}:1"


def test_the_session_cookie_opens_applications_on_other_paths_and_ports(both):
    browser = both.browser()
    browser.sign_in("google", "grace")
    for page in (f"{both.url}/app/page", f"{other_port(both)}/"):
        first = ask(browser, page)
        lame(both)
        for kind in ("traefik", "nginx"):
            found = ask(browser, page, kind)
            assert found.status_code == 200
            assert found.headers["X-Auth-Request-User"] == browser.user_id
            assert found.headers["X-Auth-Request-Email"] == "grace@navy.example"
            assert [name for name in IDENTITY if name not in found.headers] == []
            assert "Set-Cookie" not in found.headers
        both.restart()
        assert first.headers["X-Auth-Request-Name"] == "Grace Hopper"
    run(both, "users", "disable", str(browser.user_id))
    assert ask(browser, f"{both.url}/app/page").status_code == 401


def test_a_visitor_signs_in_and_is_back_at_the_page(site):
    browser = site.browser()
    begun = ask(browser, f"{site.url}/app/page", **NAVIGATION)
    assert begun.status_code == 302
    assert begun.headers["Location"] == f"{site.url}/login?next=%2Fapp%2Fpage"
    assert ask(browser, f"{site.url}/app", "nginx", **NAVIGATION).status_code == 401
    wanted = query_of(begun.headers["Location"])["next"]
    landed = browser.sign_in("google", "grace", next=wanted)
    assert landed.path == "/app/page"
    assert ask(browser, f"{site.url}/app/page", **NAVIGATION).status_code == 200
    elsewhere = ask(site.browser(), f"{other_port(site)}/x", **NAVIGATION).headers["Location"]
    assert query_of(elsewhere) == {"return_to": f"{other_port(site)}/x"}
    assert ask(site.browser(), f"{site.url}/app", **FETCH).status_code == 401


def test_only_a_question_without_a_name_about_our_own_host_counts_the_session_cookie(site):
    add_gate(site)
    browser = site.browser()
    browser.sign_in("google", "grace")
    host = urlsplit(site.url).netloc
    for page in (f"https://{host}/", f"http://app.{host}/", f"http://{host}.evil.example/"):
        assert ask(browser, page).status_code == 403
    assert ask(browser, "https://wiki.example.org/").status_code == 401
    assert ask(browser, f"{site.url}/", path="/forward-auth/wiki").status_code == 403
    told = {"X-Original-URL": "https://wiki.example.org/"}
    assert ask(browser, f"{site.url}/", **told).status_code == 403


def test_a_gate_of_our_own_host_is_not_passed_by_the_session_cookie(site):
    """The operator made it before PUBLIC_URL had this host."""
    add_gate(site)
    site.execute("UPDATE gate_hosts SET origin = :origin", origin=site.url)
    browser = site.browser()
    browser.sign_in("google", "grace")
    assert ask(browser, f"{site.url}/").status_code == 401


def test_an_odd_session_cookie_opens_nothing(site):
    browser = site.browser()
    browser.sign_in("google", "grace")
    token = browser.cookie("session")
    for cookies in (f"session={token}; session=x", f"session={token}x", f"gate={token}", ""):
        found = ask(Browser(site), f"{site.url}/app", Cookie=cookies)
        assert found.status_code == 401, cookies
    assert ask(Browser(site), f"{site.url}/app", Cookie=f"session={token}").status_code == 200


def test_nobody_passes_where_apps_are_closed(site):
    browser = site.browser()
    browser.sign_in("google", "grace")
    site.restart(APPS_DEFAULT="closed")
    for headers in (FETCH, NAVIGATION):
        assert ask(browser, f"{site.url}/app", **headers).status_code == 403
