"""Who passes a gate: origins, cookies, rules, and what ends it."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.browser import Browser
from tests.commands.console import answer, run
from tests.gates.front import FETCH, NAVIGATION, NOTES, WIKI, Front, add_gate
from tests.issuer.pair import second_instance, stop
from tests.site import Site, Sites

URL = f"{WIKI}/"


@pytest.fixture
def gated(site: Site) -> Site:
    add_gate(site)
    add_gate(site, "notes", host=NOTES)
    return site


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest, make_site: Sites) -> Site:
    site = make_site(str(request.param))
    add_gate(site)
    return site


DISAGREEING = [
    {"X-Original-URL": f"{NOTES}/"},
    {"X-Original-URL": "https://wiki.example.org.evil.example/"},
    {"X-Original-URL": "http://wiki.example.org/"},
    {"X-Original-URL": "https://wiki.example.org:8443/"},
    {"X-Original-URL": "https://grace@wiki.example.org/"},
    {"X-Original-URL": "https://wiki.example.org@evil.example/"},
    {"X-Original-URL": "https://wiki.example.org\\@evil.example/"},
    {"X-Original-URL": "https://wiki.example.org, https://wiki.example.org"},
    {"X-Original-URL": "//wiki.example.org/"},
    {"X-Original-URL": ""},
    {"X-Forwarded-Host": "notes.example.net"},
    {"X-Forwarded-Host": "wiki.example.org, wiki.example.org"},
    {"X-Forwarded-Host": "grace@wiki.example.org"},
    {"X-Forwarded-Host": "wiki.example.org:8443"},
    {"X-Forwarded-Host": "wiki.example.org."},
    {"X-Forwarded-Host": "wiki.example.org/"},
    {"X-Forwarded-Proto": "http"},
    {"X-Forwarded-Proto": "https, http"},
    {"X-Forwarded-Proto": "javascript"},
]


@pytest.mark.parametrize("kind", ["nginx", "traefik"])
@pytest.mark.parametrize("sent", DISAGREEING, ids=str)
def test_headers_that_disagree_about_the_origin_shut_their_sender_out(gated, kind, sent):
    front = Front(gated, kind).enter()
    # As if the proxy passed on what the client wrote.
    own = front._question("https", "wiki.example.org", "/", "GET")[2]
    told = {**own, **sent}
    front._question = lambda *_: ("/forward-auth/wiki", "GET", told)  # type: ignore[method-assign]
    for headers in (NAVIGATION, FETCH):
        refused = front.ask(URL, **headers)
        assert refused.status_code == 403
        assert not {"Location", "Set-Cookie"} & set(refused.headers)


def test_a_gate_that_does_not_exist_and_a_host_of_another_are_refused(gated):
    front = Front(gated).enter()
    for name in ("unknown", "notes", "WIKI", "wiki%00", "x" * 300):
        front.gate = name
        assert front.ask(URL, **NAVIGATION).status_code == 403, name
    front.gate = "wiki"
    assert front.ask(f"{NOTES}/", **NAVIGATION).status_code == 403
    assert front.ask("https://elsewhere.example/", **NAVIGATION).status_code == 403


def test_without_a_name_the_gate_is_found_by_its_host(gated):
    front = Front(gated, gate="").enter()
    assert front.ask(f"{NOTES}/", **FETCH).status_code == 401
    assert front.open(f"{NOTES}/").status_code == 200
    assert front.ask("https://elsewhere.example/", **NAVIGATION).status_code == 403


def test_the_host_is_compared_as_browsers_write_it(gated):
    front = Front(gated).enter()
    cookie = front.cookie()
    for url in (
        "https://WIKI.Example.org/",
        "https://wiki.example.org:443/",
        "wss://wiki.example.org/",
    ):
        other = Front(gated)
        other.give_cookie(cookie, url)
        assert other.ask(url, **FETCH).status_code == 200, url


@pytest.mark.parametrize(
    "path", ["/public/x.css", "/favicon.ico", "/api/health", "//x", "/.well-known/x"]
)
@pytest.mark.parametrize("kind", ["nginx", "traefik", "envoy"])
def test_no_path_is_open(gated, kind, path):
    front = Front(gated, kind)
    assert front.ask(WIKI + path, **FETCH).status_code == 401
    front.enter(WIKI + path)
    assert front.passed == [WIKI + path]


def test_a_gate_cookie_opens_one_origin(gated):
    front = Front(gated).enter()
    cookie = front.cookie()
    front.gate = "notes"
    front.give_cookie(cookie, NOTES)
    assert front.ask(f"{NOTES}/", **FETCH).status_code == 401


@pytest.mark.parametrize(
    "cookies",
    [
        "__Host-gate={token}; __Host-gate=other",
        "__Host-gate={token}x",
        "__Host-gate={token} x",
        "gate={token}",
        "__host-gate={token}",
        "__Host-gate=",
        "__Host-gate={token}\\",
        "__Host-gate=\xe4{token}",
    ],
)
def test_an_odd_cookie_opens_nothing(gated, cookies):
    front = Front(gated).enter()
    header = cookies.format(token=front.cookie())
    assert front.ask(URL, **FETCH, Cookie=header).status_code == 401


def user_id(front: Front) -> str:
    return str(front.browser.user_id)


def sign_out_elsewhere(site: Site, front: Front) -> None:
    run(site, "sessions", "revoke", "--user", user_id(front))


def disable(site: Site, front: Front) -> None:
    run(site, "users", "disable", user_id(front))


def delete(site: Site, front: Front) -> None:
    run(site, "users", "delete", user_id(front), "--yes")


def sign_out(_site: Site, front: Front) -> None:
    front.browser.sign_out()


def lose_the_rule(site: Site, _front: Front) -> None:
    answer(site, "gates", "allow", "wiki", "domain=elsewhere.example")


def lose_the_gate(site: Site, _front: Front) -> None:
    answer(site, "gates", "remove", "wiki", "--yes")


def be_idle(site: Site, _front: Front) -> None:
    site.execute("UPDATE sessions SET last_seen_at = '2026-01-01 00:00:00.000000'")


@pytest.mark.parametrize(
    "end",
    [sign_out, sign_out_elsewhere, disable, delete, lose_the_rule, lose_the_gate, be_idle],
    ids=lambda end: end.__name__,
)
def test_what_ends_at_one_instance_is_refused_at_the_next_request_of_another(both, end):
    front = Front(both).enter()
    second = second_instance(both)
    first, both.app = both.app, second
    assert front.ask(URL, **FETCH).status_code == 200
    both.app = first
    end(both, front)
    both.app = second
    assert front.ask(URL, **FETCH).status_code in (401, 403)
    found = front.open(URL)
    assert found.status_code != 200 or "/login" in found.url
    both.app = first
    stop(second)


def test_a_group_opens_a_gate_and_closes_it(both):
    answer(both, "gates", "allow", "wiki", "group=navy")
    front = Front(both)
    front.sign_in()
    refused = front.open(URL)
    assert refused.status_code == 403
    assert "This account can't use wiki.example.org" in refused.text
    answer(both, "groups", "add", "navy", user_id(front))
    answer(both, "groups", "add", "zoo", user_id(front))
    found = front.open(URL)
    assert found.status_code == 200
    assert found.headers["X-Auth-Request-Groups"] == "navy,zoo"
    answer(both, "groups", "remove", "navy", user_id(front))
    assert front.ask(URL, **FETCH).status_code == 403
    assert front.open(URL).status_code == 403


@pytest.mark.parametrize(
    ("rule", "passes"),
    [
        ("everyone", True),
        ("domain=gmail.com", False),
        ("provider=google", True),
        ("provider=github", False),
        ("user=0123456789abcdef0123456789abcdef", False),
    ],
)
def test_a_rule_decides_who_passes(gated, rule, passes):
    answer(gated, "gates", "allow", "wiki", rule)
    front = Front(gated)
    front.sign_in()
    assert (front.open(URL).status_code == 200) is passes


def test_the_sites_own_list_of_domains_counts_at_gates(gated):
    front = Front(gated).enter()
    gated.restart(ALLOWED_EMAIL_DOMAINS="elsewhere.example")
    assert front.ask(URL, **FETCH).status_code == 403
    gated.restart(ALLOWED_EMAIL_DOMAINS="")
    assert front.ask(URL, **FETCH).status_code == 200


def test_a_gate_without_rules_is_for_nobody_where_apps_are_closed(gated):
    front = Front(gated).enter()
    gated.restart(APPS_DEFAULT="closed")
    assert front.ask(URL, **FETCH).status_code == 403
    answer(gated, "gates", "allow", "wiki", "provider=google")
    assert front.ask(URL, **FETCH).status_code == 200


def test_who_is_turned_away_sees_why_and_may_use_another_account(gated):
    answer(gated, "gates", "allow", "wiki", "provider=github")
    front = Front(gated)
    front.sign_in()
    page = front.open(URL)
    assert page.status_code == 403
    assert "Use another account" in page.text
    activity = front.browser.get("/account/activity").text
    assert "Not let in at wiki.example.org" in activity


def an_hour_ago() -> str:
    return (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S.%f")


def test_using_an_application_keeps_its_session_alive(both):
    front = Front(both).enter()
    last_use = "UPDATE sessions SET last_seen_at = :past, address = '192.0.2.1'"
    both.execute(last_use, past=an_hour_ago())
    before = both.rows("SELECT last_seen_at FROM sessions")
    assert front.ask(URL, **FETCH).status_code == 200
    assert both.rows("SELECT last_seen_at FROM sessions") > before
    assert both.rows("SELECT address FROM sessions") == [("192.0.2.1",)]


def test_sign_out_behind_a_gate_asks_first_and_ends_every_gate(gated):
    front = Front(gated).enter()
    notes = Front(gated, gate="notes")
    notes.browser = front.browser
    assert notes.open(f"{NOTES}/").status_code == 200
    page = front.open(f"{WIKI}/.quickstep/sign-out")
    assert page.url == f"{gated.url}/logout"
    assert front.ask(URL, **FETCH).status_code == 200, "it was only asked"
    assert front.ask(f"{WIKI}/.quickstep/sign-out", **FETCH).status_code == 401
    front.browser.sign_out()
    assert front.ask(URL, **FETCH).status_code == 401
    assert notes.ask(f"{NOTES}/", **FETCH).status_code == 401


def test_a_gate_is_of_no_use_to_browsers_that_ask_us_themselves(gated):
    """The session cookie comes with such a request; it does not count."""
    browser: Browser = gated.browser()
    browser.sign_in("google", "grace")
    assert browser.fetch("/forward-auth/wiki").status == 403
    told = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "wiki.example.org"}
    assert browser.fetch("/forward-auth/wiki", headers=told).status == 401
