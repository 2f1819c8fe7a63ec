"""Rate limits per address, and that other sites cannot use them up for a visitor."""

import json

import pytest
import requests

from tests.browser import Browser, query_of

# As browsers send them for resources of another site's page.
DRIVE_BYS = [
    {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image", "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Purpose": "prefetch"},
    *(
        {name: value}
        for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-moz")
        for value in ("prefetch", "Prefetch;prerender", "prefetch;anonymous-client-ip", "preview")
    ),
]
A_PERSON = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-User": "?1"}


def bogus_code(browser: Browser, provider: str = "github") -> int:
    """Begin a flow, and return with a code that no provider issued."""
    state = query_of(browser.begin(provider))["state"]
    path = f"/login/{provider}/authorized?code=made-up&state={state}"
    return browser.get(path).status


def from_elsewhere(site, path: str, **headers: str) -> int:
    """A request that another site's page makes a visitor's browser send: without our cookies."""
    url = site.url + path
    answer = requests.get(url, headers=headers, allow_redirects=False, timeout=5)
    if answer.status_code == 303:  # to the page of the failure
        answer = requests.get(site.url + answer.headers["Location"], timeout=5)
    return answer.status_code


def test_made_up_codes_count_as_refusals(make_site):
    """Each costs a request to the provider."""
    site = make_site(REFUSALS_PER_MINUTE="3")
    browser = site.browser()
    assert [bogus_code(browser) for _ in range(3)] == [502] * 3
    page = browser.fetch("/login/github")
    assert (page.status, page.alert) == (429, "Too many attempts")
    assert site.simulator.github.seen.count("token") == 3


def test_failures_of_a_provider_lock_an_address_out_at_a_higher_limit(make_site):
    """Requests to it stay limited, and its outage does not lock out a whole address."""
    site = make_site(REFUSALS_PER_MINUTE="3")
    browser = site.browser()
    for _ in range(10):
        assert browser.sign_in("github", "ada", behave="token:status_500").status == 502
    assert browser.sign_in("google", "ada").path == "/account"
    statuses: list[int] = []
    while 429 not in statuses and len(statuses) < 10:
        callback = browser.choose(browser.begin("github"), "ada", behave="token:status_500")
        statuses.append(browser.get(callback).status)
        statuses.append(browser.fetch("/login/github").status)
    assert statuses[-1] == 429


def test_a_provider_that_is_unreachable_locks_nobody_out(make_site):
    site = make_site(REFUSALS_PER_MINUTE="1", GITHUB_TOKEN_URL="http://127.0.0.1:9/token")
    browser = site.browser()
    for _ in range(8):
        assert browser.sign_in("github", "ada").alert == "GitHub isn't answering"
    assert browser.sign_in("google", "ada").path == "/account"


@pytest.mark.parametrize("headers", DRIVE_BYS)
def test_only_a_navigation_begins_a_flow(make_site, headers):
    """A hundred <img> tags on any page would use up the limit of its visitors' addresses."""
    site = make_site(REFUSALS_PER_MINUTE="1")
    for path in ("/login/github", "/login/github/authorized?state=x", "/login/github"):
        assert from_elsewhere(site, path, **headers) == 400
    assert site.rows("SELECT count(*) FROM flows")[0][0] == 0
    assert from_elsewhere(site, "/login/github", **A_PERSON) == 302


@pytest.mark.parametrize("headers", DRIVE_BYS)
def test_an_image_on_another_site_uses_up_no_flow(browser, headers):
    callback = browser.choose(browser.begin("github"), "ada")
    assert browser.fetch(callback, headers=headers).status == 400
    assert browser.get(callback, headers=A_PERSON).path == "/account"


def test_another_site_cannot_lock_out_the_address_of_its_visitors(make_site):
    """Old browsers do not say that it was an image. Refusals without a flow's cookie are counted
    separately, and stop only requests without one."""
    site = make_site(REFUSALS_PER_MINUTE="3")
    victim = site.browser()
    callback = victim.choose(victim.begin("github"), "ada")
    statuses = [from_elsewhere(site, "/login/github/authorized?state=x") for _ in range(5)]
    assert statuses == [400, 400, 400, 429, 429]
    for _ in range(5):  # a form on another site
        requests.post(f"{site.url}/logout", timeout=5)
    assert victim.get(callback).path == "/account"
    assert site.browser().sign_in("github", "linus").path == "/account"


def test_refusals_count_for_the_address_that_began_the_flow(make_site):
    site = make_site(REFUSALS_PER_MINUTE="3")
    browser = site.browser()
    browser.begin("github")
    path = "/login/github/authorized?state=x"
    assert [browser.get(path).status for _ in range(4)] == [400, 400, 400, 429]
    assert site.browser().fetch("/login/github").status == 429


def test_open_flows_are_counted_by_the_network_that_one_customer_owns(make_site, monkeypatch):
    """The owner of a /64 has more addresses than there can be flows."""
    monkeypatch.setattr("accounts.flows.MAX_OPEN_PER_ADDRESS", 3)
    site = make_site(TRUSTED_PROXIES="1")

    def status_for(address: str) -> int:
        return from_elsewhere(site, "/login/github", **{"X-Forwarded-For": address})

    assert [status_for(f"2001:db8::{i}") for i in range(1, 5)] == [302, 302, 302, 429]
    assert status_for("2001:db8:0:1::1") == 302
    assert [status_for("192.0.2.1") for _ in range(4)] == [302, 302, 302, 429]
    assert status_for("192.0.2.2") == 302


def test_made_up_flow_cookies_are_not_answered_with_deletions(site):
    """Deleting each made a response many times the size of its request."""
    for names in (
        [f"flow_{i}" for i in range(500)],
        [f"flow_{i:031x}F" for i in range(500)],
        [f"flow_{i:033x}" for i in range(500)],
    ):
        answer = _begin_with(site, names)
        assert answer.status_code == 302
        assert len(answer.raw.headers.getlist("Set-Cookie")) == 1
    answer = _begin_with(site, [f"flow_{i:032x}" for i in range(500)])
    assert len(answer.raw.headers.getlist("Set-Cookie")) <= 33


def _begin_with(site, names: list[str]) -> requests.Response:
    cookies = "; ".join(f"{name}=x" for name in names)
    url = f"{site.url}/login/github"
    return requests.get(url, headers={"Cookie": cookies}, allow_redirects=False, timeout=5)


def test_a_flow_cannot_be_ended_without_its_cookie_secret(site, browser):
    callback = browser.choose(browser.begin("github"), "ada")
    (flow_id,) = site.rows("SELECT id FROM flows")[0]
    other = site.browser()
    other.sign_in("google", "linus")
    other.http.cookies.set(f"flow_{flow_id}", "x", domain="localhost.local", path="/")
    other.sign_out()
    assert browser.get(callback).path == "/account"


def test_a_rate_limited_page_load_is_not_logged_as_a_refused_sign_in(make_site, capfd):
    site = make_site(LOG_FORMAT="json")
    from_elsewhere(site, "/login/github/authorized?state=x", **DRIVE_BYS[0])
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line[:1] == "{"]
    assert not [line for line in lines if line["event"] == "refused"]
