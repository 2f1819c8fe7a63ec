"""Coming in at a gate: the way from the page that was wanted, over the sign-in, and back to it."""

import re
import threading
from urllib.parse import parse_qs, urlsplit

import pytest

from gates import flows
from tests.browser import Browser
from tests.gates.front import FETCH, IDENTITY, IMAGE, NAVIGATION, NOTES, WIKI, Front, add_gate
from tests.issuer.relying_party import query_of
from tests.site import Site, Sites

PAGE = f"{WIKI}/a%20page/?q=1&q=2%26&empty=&x#top"
KINDS = ("nginx", "traefik", "envoy")


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest, make_site: Sites) -> Site:
    site = make_site(str(request.param))
    add_gate(site)
    return site


@pytest.fixture
def gated(site: Site) -> Site:
    add_gate(site)
    return site


@pytest.mark.parametrize("kind", KINDS)
def test_a_newcomer_signs_in_and_is_back_at_the_very_page(both, kind):
    front, url = Front(both, kind), PAGE.partition("#")[0]
    sign_in = front.open(url)
    assert sign_in.status_code == 200
    assert urlsplit(sign_in.url).path == "/login"
    assert "wiki.example.org" in sign_in.text
    wanted = query_of(sign_in.url)["next"]
    landed = front.browser.sign_in("google", "grace", next=wanted)
    found = front.open(landed.location)
    assert found.status_code == 200
    assert front.passed == [url]
    assert found.headers["X-Auth-Request-User"] == front.browser.user_id


@pytest.mark.parametrize("kind", KINDS)
def test_who_is_signed_in_passes_without_seeing_a_page(gated, kind):
    front = Front(gated, kind)
    front.sign_in()
    assert front.open(f"{WIKI}/x?y").status_code == 200
    assert front.passed == [f"{WIKI}/x?y"]
    # From then on each request is one question.
    assert front.ask(f"{WIKI}/api", "POST", **FETCH).status_code == 200


def test_nginx_gets_401_with_the_location_and_the_others_302(gated):
    for kind, status in (("nginx", 401), ("traefik", 302), ("envoy", 302)):
        found = Front(gated, kind).ask(**NAVIGATION)
        assert found.status_code == status
        assert found.headers["Location"].startswith(f"{gated.url}/gate/wiki?flow=")
        cookies = found.raw.headers.getlist("Set-Cookie")
        assert len(cookies) == 1
        cookie = re.sub(r"=[A-Za-z0-9_-]{43};", "=VALUE;", cookies[0])
        assert cookie.startswith("__Host-gate=VALUE; ")
        assert set(cookie.split("; ")[1:]) >= {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}
        assert "Domain" not in cookie


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", FETCH),
        ("GET", IMAGE),
        ("GET", {}),
        ("GET", {**NAVIGATION, "Sec-Fetch-Dest": "iframe"}),
        ("GET", {**NAVIGATION, "Sec-Purpose": "prefetch"}),
        ("POST", NAVIGATION),
        ("HEAD", NAVIGATION),
        ("PROPFIND", NAVIGATION),
        ("OPTIONS", {**FETCH, "Origin": NOTES, "Access-Control-Request-Method": "PUT"}),
    ],
    ids=lambda value: value if isinstance(value, str) else value.get("Sec-Fetch-Dest"),
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_nobody_sees_is_refused_without_a_location(gated, kind, method, headers):
    found = Front(gated, kind).ask(WIKI, method, **headers)
    assert found.status_code == 401
    assert "Location" not in found.headers
    assert "Set-Cookie" not in found.headers
    assert found.headers["WWW-Authenticate"] == "Bearer"
    assert gated.rows("SELECT count(*) FROM gate_flows") == [(0,)]


def begin_with_code(front: Front, url: str = f"{WIKI}/") -> str:
    """The address with a code, which the browser has not opened yet."""
    begun = front.ask(url, **NAVIGATION)
    return str(front.browser.fetch(begun.headers["Location"]).location)


def test_a_code_works_once(gated):
    front = Front(gated)
    front.sign_in()
    address = begin_with_code(front)
    secret = front.cookie()
    assert front.ask(address, **NAVIGATION).headers["Location"] == f"{WIKI}/"
    assert front.cookie() not in ("", secret)
    assert front.ask().status_code == 200
    # Again with the secret that it was made for: nobody comes in, it all begins anew.
    again = Front(gated)
    again.give_cookie(secret)
    answer = again.ask(address, **NAVIGATION)
    assert answer.headers["Location"] == f"{WIKI}/"
    assert again.cookie() == secret
    assert again.ask(**FETCH).status_code == 401


def test_a_code_of_twenty_concurrent_requests_lets_one_in(both):
    front = Front(both)
    front.sign_in()
    address, secret = begin_with_code(front), front.cookie()
    came_in = []

    def bring() -> None:
        browser = Front(both)
        browser.give_cookie(secret)
        browser.ask(address, **NAVIGATION)
        if browser.cookie() != secret:
            came_in.append(browser.cookie())

    threads = [threading.Thread(target=bring) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(came_in) == 1
    assert both.rows("SELECT count(*) FROM gate_sessions") == [(1,)]


def test_a_code_of_somebody_else_lets_nobody_in(gated):
    """Neither into the account of who made it, nor them into that of who opens it."""
    mallory, victim = Front(gated), Front(gated)
    mallory.sign_in("linus", "github")
    victim.sign_in("grace")
    address = begin_with_code(mallory)
    # A browser that has nothing to do with the flow.
    refused = victim.ask(address, **NAVIGATION)
    assert refused.status_code == 403
    assert "Set-Cookie" not in refused.headers
    # One that has a flow of its own.
    victim.ask(**NAVIGATION)
    before = victim.cookie()
    assert victim.ask(address, **NAVIGATION).headers["Location"] == f"{WIKI}/"
    assert victim.cookie() == before
    assert victim.ask(**FETCH).status_code == 401
    # The flow of the attacker, opened by the victim.
    begun = mallory.ask(**NAVIGATION).headers["Location"]
    code = victim.browser.fetch(begun).location
    victim.ask(code, **NAVIGATION)
    assert gated.rows("SELECT count(*) FROM gate_sessions") == [(0,)]


def test_a_code_is_too_old_after_a_minute(gated):
    assert flows.CODE_SECONDS == 60
    front = Front(gated)
    front.sign_in()
    address = begin_with_code(front)
    gated.execute("UPDATE gate_flows SET code_expires_at = '2026-01-01 00:00:00.000000'")
    assert front.ask(address, **NAVIGATION).headers["Location"] == f"{WIKI}/"
    assert front.ask(**FETCH).status_code == 401


def test_a_code_of_one_origin_is_none_at_another(gated):
    add_gate(gated, "notes", host=NOTES)
    front = Front(gated)
    front.sign_in()
    address = begin_with_code(front).replace(WIKI, NOTES)
    front.gate = "notes"
    front.give_cookie(front.cookie(WIKI), NOTES)
    front.ask(address, **NAVIGATION)
    assert front.ask(NOTES, **FETCH).status_code == 401


@pytest.mark.parametrize("kind", KINDS)
def test_an_application_never_sees_a_code(gated, kind):
    front = Front(gated, kind).enter(f"{WIKI}/?a=1")
    for method, headers in (("GET", NAVIGATION), ("GET", FETCH), ("POST", NAVIGATION)):
        found = front.ask(f"{WIKI}/?a=1&__gate=made-up", method, **headers)
        assert found.status_code in (302, 401)
    assert front.open(f"{WIKI}/?__gate=made-up&a=1").status_code == 200
    assert front.passed == [f"{WIKI}/?a=1", f"{WIKI}/?a=1"]


def test_two_tabs_of_a_newcomer_both_arrive(gated):
    front = Front(gated)
    front.sign_in()
    first, second = begin_with_code(front, f"{WIKI}/1"), begin_with_code(front, f"{WIKI}/2")
    assert front.open(second).status_code == 200
    assert front.open(first).status_code == 200
    assert front.passed == [f"{WIKI}/2", f"{WIKI}/1"]


def test_a_browser_without_cookies_is_told_so_and_not_led_in_circles(gated):
    front = Front(gated)
    front.sign_in()
    address = begin_with_code(front)
    front.cookies.clear()
    refused = front.ask(address, **NAVIGATION)
    assert refused.status_code == 403
    assert "blocking cookies" in refused.text
    assert refused.headers["Content-Type"] == "text/html; charset=utf-8"
    front.gate = "unknown"
    assert front.ask(**FETCH).headers["Content-Type"] == "text/plain; charset=utf-8"


def test_a_flow_that_took_too_long_says_so(gated):
    front = Front(gated)
    begun = front.ask(**NAVIGATION).headers["Location"]
    gated.execute("UPDATE gate_flows SET expires_at = '2026-01-01 00:00:00.000000'")
    front.sign_in()
    page = front.browser.get(begun)
    assert page.status == 400
    assert "took too long" in page.text
    assert f'href="{WIKI}/"' in page.html


def test_only_a_navigation_makes_a_code(gated):
    front = Front(gated)
    front.sign_in()
    begun = front.ask(**NAVIGATION).headers["Location"]
    assert front.browser.fetch(begun, headers={"Sec-Purpose": "prefetch"}).status == 400
    assert front.browser.fetch(begun, "HEAD").status == 200
    assert gated.rows("SELECT code_hash FROM gate_flows") == [(None,)]


def test_an_address_that_is_too_long_to_keep_leads_to_the_first_page(gated):
    front = Front(gated)
    front.sign_in()
    assert front.open(f"{WIKI}/?{'x' * 8001}").status_code == 200
    assert front.passed == [f"{WIKI}/"]


def test_a_page_after_a_form_leads_back(gated):
    """Browsers apply form-action to every redirect that follows a form."""
    front = Front(gated)
    sign_in = front.open()
    front.sign_in()
    wanted = query_of(sign_in.url)["next"]
    page = front.browser.fetch(wanted, headers=NAVIGATION)
    assert page.status == 200
    assert "Taking you to wiki.example.org" in page.text
    assert f"{WIKI}/?__gate=" in page.html


def test_the_login_cookie_opens_no_gate_and_a_gate_cookie_nothing_here(gated):
    front = Front(gated).enter()
    session = front.browser.cookie("session") or ""
    assert session
    thief = Front(gated)
    thief.give_cookie(session)
    assert thief.ask(**FETCH).status_code == 401
    with_gates = {"Cookie": f"session={front.cookie()}; __Host-session={front.cookie()}"}
    stranger = Browser(gated)
    assert stranger.fetch("/api/v1/me", headers=with_gates).status == 401
    assert stranger.fetch("/account", headers=with_gates).status == 302


def test_all_six_headers_come_with_every_answer_that_passes(gated):
    front = Front(gated).enter()
    found = front.ask(**FETCH)
    assert [name for name in IDENTITY if name not in found.headers] == []
    assert parse_qs(urlsplit(found.url).query) == {}
    assert found.headers["Cache-Control"] == "no-store"
