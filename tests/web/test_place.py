"""Other names of this server: people are led to PUBLIC_URL, and no redirect is built from Host."""

import pytest
import requests

from tests.site import Site, Sites

PUBLIC_URL = "https://example.org"
EVIL = "evil.example"


@pytest.fixture
def public(make_site: Sites) -> Site:
    return make_site(PUBLIC_URL=PUBLIC_URL)


def ask(site: Site, path: str, host: str, method: str = "GET", **more: str) -> requests.Response:
    """Send a path as it is written: requests would tidy it."""
    request = requests.Request(method, site.url, headers={"Host": host, **more}).prepare()
    request.url = site.url + path
    with requests.Session() as session:
        session.trust_env = False
        return session.send(request, allow_redirects=False, timeout=30)


@pytest.mark.parametrize("host", ["www.example.org", "example.org:8443", "example.org.", EVIL])
@pytest.mark.parametrize(
    "path",
    [
        *("/", "/login?next=/a%20b", "/login/google?next=/x", "/account", "/account/sessions"),
        *("/account/apps", "/oauth2/authorize?client_id=x", "/oauth2/device", "/oauth2/logout?a=b"),
    ],
)
def test_a_page_under_another_host_leads_to_the_public_url_first(public, host, path):
    """A flow that began there could not end: its cookie is missing at the callback."""
    answer = ask(public, path, host)
    assert (answer.status_code, answer.headers["Location"]) == (307, PUBLIC_URL + path)
    assert public.rows("SELECT count(*) FROM flows")[0][0] == 0


@pytest.mark.parametrize("host", ["example.org", "EXAMPLE.org", "example.org:443"])
def test_the_public_host_is_served_however_it_is_written(public, host):
    assert ask(public, "/login", host).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/me", "/livez", "/readyz", "/openapi.json"])
@pytest.mark.parametrize("host", ["quickstep:8000", "10.0.0.7", "127.0.0.1:8000"])
def test_programs_may_use_any_name(public, path, host):
    assert not ask(public, path, host).is_redirect


def test_this_machines_own_names_are_served(public):
    """A proxy that passes on its own name for this server."""
    assert ask(public, "/login", "127.0.0.1:8000").status_code == 200


def test_a_proxy_that_hides_the_name_sends_nobody_in_circles(capfd, public):
    first = ask(public, "/login", "backend:8000")
    assert first.status_code == 307
    cookie = first.headers["Set-Cookie"].partition(";")[0]
    assert ask(public, "/login", "backend:8000", Cookie=cookie).status_code == 200
    assert "host_is_not_public_url" in capfd.readouterr().err


ODD = ("{}", "/{}", "{}/", "{}//", "/.{}", "/%2f{}")


def test_no_redirect_leads_to_the_host_that_was_asked_for(site):
    """Werkzeug merges slashes by a redirect to the host of the request."""
    rules = {rule.rule.replace("<", "").replace(">", "") for rule in site.app.url_map.iter_rules()}
    paths = {rule.replace("/", "//", 2)[1:] for rule in rules} | {
        odd.format(rule) for rule in rules for odd in ODD
    }
    paths |= {"/static//app.css", "/static///app.css", "/login//google", "//evil.example/%2e%2e"}
    for path in sorted(paths):
        for method in ("GET", "POST") if path.startswith("//") else ("GET",):
            answer = ask(site, path if path.startswith("/") else f"/{path}", EVIL, method)
            assert EVIL not in answer.headers.get("Location", "").partition("?")[0], path
            assert answer.status_code != 308, path


def test_a_prefetched_page_neither_begins_nor_uses_up_a_flow(site, browser):
    callback = browser.choose(browser.begin("google"), "grace")
    for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-moz"):
        headers = {name: "prefetch;prerender"}
        assert browser.fetch(callback, headers=headers).status == 400
        assert browser.fetch("/login/google", headers=headers).status == 400
    assert site.rows("SELECT count(*) FROM flows")[0][0] == 1
    assert browser.get(callback).path == "/account"


def test_facebooks_fragment_does_not_stay_in_the_address(browser):
    page = browser.fetch(browser.choose(browser.begin("facebook"), "grace"))
    assert page.location.endswith("#_")
    page = browser.fetch(browser.choose(browser.begin("google"), "ada"))
    assert "#" not in page.location


def test_a_return_path_with_an_encoded_blank_is_kept(browser):
    location = browser.begin("google", next="/search?q=ada lovelace")
    page = browser.fetch(browser.choose(location, "ada"))
    assert page.location == "/search?q=ada%20lovelace"
    for path in ("/a%20b", "/a%2520b?x=%20"):
        callback = browser.choose(browser.begin("google", next=path), "ada")
        assert browser.fetch(callback).location == path
