"""The fast session check answers as the view does."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from werkzeug.test import EnvironBuilder

from errors import NotAllowed
from models import User
from tests.browser import Browser, Page
from tests.site import SECRET_KEY
from web import guards
from web.authentication import this_user
from web.guards import Guard

ME = "/api/v1/me"
# An unusual request, which the view answers.
BY_THE_VIEW = {"Origin": "https://elsewhere.example"}
# Headers that differ from response to response.
PER_ANSWER = {"Date", "Connection", "Server"}


@pytest.fixture
def site(request, make_site):
    return make_site(getattr(request, "param", "sqlite"))


on_both_engines = pytest.mark.parametrize("site", ["sqlite", "postgresql"], indirect=True)


def ask(browser: Browser, **headers: str) -> Page:
    return browser.fetch(ME, headers=headers)


def lame(site) -> None:
    """Make the view fail, so that only the fast check can answer."""

    def fail() -> None:
        raise RuntimeError("the view was asked")

    site.app.view_functions["api.me"] = fail


def headers(page: Page) -> dict[str, str]:
    return {name: value for name, value in page.headers.items() if name not in PER_ANSWER}


@on_both_engines
def test_the_first_check_of_a_browser_is_answered_before_flask(site):
    lame(site)
    browser = site.browser()
    browser.get(browser.choose(browser.begin("google"), "grace"))
    assert ask(browser).response.json()["name"] == "Grace Hopper"


@on_both_engines
@pytest.mark.parametrize(
    ("provider", "person"),
    [("google", "grace"), ("github", "noa"), ("github", "linus"), ("facebook", "ada")],
)
def test_the_fast_check_answers_as_the_view_does(site, browser, provider, person):
    browser.sign_in(provider, person)
    long = ask(browser, **BY_THE_VIEW)
    lame(site)
    short = ask(browser)
    assert short.status == 200
    assert short.response.content == long.response.content
    assert headers(short) == headers(long)


def test_the_fast_check_answers_as_the_view_for_several_identities_and_an_odd_name(site, browser):
    browser.sign_in("google", "grace")
    browser.link("github", "linus")
    browser.link("facebook", "ada")
    site.execute("UPDATE users SET name = :name", name='Gr\u00e4ce "\\ </script>\u2028\x7f 🦉')
    identity = site.rows("SELECT id FROM oauth WHERE provider = 'github'")[0][0]
    site.execute("UPDATE users SET email_choice = :id", id=identity)
    long = ask(browser, **BY_THE_VIEW).response
    lame(site)
    short = ask(browser).response
    assert short.content == long.content
    assert len(short.json()["identities"]) == 3
    assert short.json()["email"] == "linus@chemistry.example"


def test_the_session_cookie_alone_is_enough_to_read_and_to_write(site, browser):
    browser.sign_in("google", "grace")
    cookie = {"Cookie": f"session={browser.cookie('session')}"}
    token = requests.get(site.url + ME, headers=cookie, timeout=10).headers["X-CSRF-Token"]
    changed = requests.patch(
        site.url + ME, json={"name": "G."}, headers={**cookie, "X-CSRF-Token": token}, timeout=10
    )
    assert changed.status_code == 200
    assert ask(browser).response.json()["name"] == "G."


def test_the_csrf_value_of_one_session_is_refused_for_another(browser, other):
    browser.sign_in("google", "grace")
    other.sign_in("google", "grace")
    token = ask(other).headers["X-CSRF-Token"]
    refused = browser.fetch(ME, "PATCH", json={"name": "G."}, headers={"X-CSRF-Token": token})
    assert (refused.status, refused.response.json()["code"]) == (403, "csrf")


def test_a_csrf_value_of_an_earlier_key_is_accepted_until_that_key_is_gone(site, browser):
    browser.sign_in("google", "grace")
    token = ask(browser).headers["X-CSRF-Token"]

    def change() -> int:
        headers = {"X-CSRF-Token": token}
        return int(browser.fetch(ME, "PATCH", json={"name": "G."}, headers=headers).status)

    new_key = "another secret key that is long enough too"
    site.restart(SECRET_KEY=new_key, SECRET_KEY_FALLBACKS=SECRET_KEY)
    assert change() == 200
    assert ask(browser).headers["X-CSRF-Token"] != token
    site.restart(SECRET_KEY=new_key, SECRET_KEY_FALLBACKS="")
    assert change() == 403


def test_the_csrf_token_of_the_fast_check_is_accepted(browser):
    browser.sign_in("google", "grace")
    token = ask(browser).headers["X-CSRF-Token"]
    changed = browser.fetch(ME, "PATCH", json={"name": "G."}, headers={"X-CSRF-Token": token})
    assert changed.status == 200
    assert ask(browser).response.json()["name"] == "G."


@on_both_engines
@pytest.mark.parametrize(
    "end",
    [
        "DELETE FROM sessions",
        "UPDATE users SET disabled_at = created_at",
        "UPDATE sessions SET expires_at = created_at",
        "UPDATE sessions SET last_seen_at = '2025-01-01 00:00:00.000000'",
    ],
)
def test_an_ended_session_fails_the_next_check(site, browser, end):
    browser.sign_in("google", "grace")
    site.execute(end)
    assert ask(browser).status == 401


def test_the_fast_check_writes_last_use_once_a_minute(site, browser):
    browser.sign_in("google", "grace")
    moment = datetime.now(UTC) - timedelta(seconds=90)
    site.execute("UPDATE sessions SET last_seen_at = :at", at=f"{moment:%Y-%m-%d %H:%M:%S.%f}")
    before = site.rows("SELECT last_seen_at FROM sessions")
    ask(browser)
    noted = site.rows("SELECT last_seen_at FROM sessions")
    assert noted != before
    ask(browser)
    assert site.rows("SELECT last_seen_at FROM sessions") == noted


def test_signing_out_fails_the_next_check_of_that_browser_only(browser, other):
    browser.sign_in("google", "grace")
    other.sign_in("google", "ada")
    browser.post("/logout")
    assert ask(browser).status == 401
    assert ask(other).response.json()["name"] == "Ada Lovelace"


def cookies_of(browser: Browser) -> dict[str, str]:
    return {cookie.name: cookie.value or "" for cookie in browser.http.cookies}


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ("session={session}; quickstep={quickstep}", 200),
        ("quickstep={quickstep};session={session}", 200),
        ("a=b; session={session}; quickstep={quickstep}; c", 200),
        ("session={session}", 200),
        ("session={session}; quickstep=made.up.here", 200),
        ('session="{session}"; quickstep={quickstep}', 200),
        ("session={session}; session={session}; quickstep={quickstep}", 200),
        ("session={session}; session={session}x", 401),
        ("session=stolen; session={session}", 401),
        ("session=stolen; session={session}; quickstep={quickstep}", 200),
        ("session={session}; session=stolen; quickstep={quickstep}", 200),
        ("session=stolen; session={session}; quickstep=planted; quickstep={quickstep}", 200),
        ('a="; session={session}; b="; quickstep={quickstep}', 200),
        ('a="; session={session}; b="; session=stolen', 401),
        ('a="\\"; session={session}; b="', 200),
        ('session="{session}; a="', 401),
        ("\xa0session={session}", 401),
        ("a=b; \x0bsession={session}", 401),
        ("session\x1f={session}", 401),
        ("session; session={session}", 200),
        ("=session={session}", 401),
        ("a,session={session}", 401),
        ("$Version=1; session={session}", 200),
        ("session={session},a=b", 401),
        ("session={session}x; quickstep={quickstep}", 401),
        ("session=; quickstep={quickstep}", 401),
        ("session={quickstep}; quickstep={session}", 401),
        ("quickstep={quickstep}", 401),
        ("Session={session}; quickstep={quickstep}", 401),
    ],
)
def test_the_fast_check_reads_cookies_as_the_view_does(site, browser, how, status):
    browser.sign_in("google", "grace")
    cookie = how.format(**cookies_of(browser)).encode("latin-1")
    for more in ({}, BY_THE_VIEW):
        answer = requests.get(site.url + ME, headers={"Cookie": cookie, **more}, timeout=10)
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("HEAD", {}, 200),
        ("OPTIONS", {}, 200),
        ("POST", {}, 405),
        ("GET", {"Authorization": "Bearer nonsense"}, 401),
        ("GET", {"Authorization": "Basic nonsense"}, 200),
    ],
)
def test_unusual_requests_fall_through_to_the_view(browser, method, headers, status):
    browser.sign_in("google", "grace")
    assert browser.fetch(ME, method, headers=headers).status == status


def test_the_fast_check_treats_a_query_as_the_view_does(browser):
    browser.sign_in("google", "grace")
    odd = browser.fetch(f"{ME}?limit=1")
    assert odd.status == browser.fetch(f"{ME}?limit=1", headers=BY_THE_VIEW).status


def test_the_fast_check_answers_a_listed_origin_with_cors_headers(make_site):
    """The fast check knows no origins, so a listed one must fall through to the view."""
    friend = "https://app.example.org"
    browser = make_site(CORS_ORIGINS=friend).browser()
    browser.sign_in("google", "grace")
    answer = browser.fetch(ME, headers={"Origin": friend})
    assert answer.headers["Access-Control-Allow-Origin"] == friend
    assert "Access-Control-Allow-Origin" not in ask(browser).headers


def test_a_local_servers_fast_check_answers_its_own_host_name_only(site, browser):
    """localhost and 127.0.0.1 are two sites with separate cookies."""
    browser.sign_in("google", "grace")
    port = site.url.rpartition(":")[2]
    cookies = "; ".join(f"{name}={value}" for name, value in cookies_of(browser).items())
    elsewhere = ask(browser, Host=f"127.0.0.1:{port}", Cookie=cookies)
    assert elsewhere.status == 307
    assert elsewhere.location == f"{site.url}{ME}"


def test_the_fast_check_in_demo_mode_refuses_requests_through_a_proxy(make_site):
    browser = make_site(DEMO="1").browser()
    browser.sign_in("google", "grace")
    assert ask(browser, Via="1.1 tunnel").status == 403


def test_the_fast_check_never_gives_one_users_answer_to_another(browser, other):
    """Stock Flask-Dance signs users in to each other's accounts. Here every request looks its
    cookie up."""
    browser.sign_in("google", "grace")
    other.sign_in("google", "ada")
    mixed = cookies_of(other)["session"]
    browser.http.cookies.clear()
    for _ in range(2):
        cookie = f"session={mixed}; quickstep={cookies_of(other)['quickstep']}"
        assert ask(browser, Cookie=cookie).response.json()["name"] == "Ada Lovelace"


def test_session_checks_of_many_threads_leave_database_connections_for_others(site, browser):
    """A live server thread keeps its SQLite connection."""
    browser.sign_in("google", "grace")
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.http.cookies)
    asked, end = threading.Semaphore(0), threading.Event()
    statuses: list[str] = []

    def start_response(status: str, *_rest: Any) -> Any:
        statuses.append(status)

    def serve() -> None:
        request = EnvironBuilder(ME, base_url=site.url, headers=[("Cookie", cookies)])
        site.app(request.get_environ(), start_response)
        asked.release()
        end.wait(60)

    threads = [threading.Thread(target=serve, daemon=True) for _ in range(70)]
    for thread in threads:
        thread.start()
        assert asked.acquire(timeout=10)
    try:
        assert statuses == ["200 OK"] * 70
        assert ask(browser, **BY_THE_VIEW).status == 200
    finally:
        end.set()
        for thread in threads:
            thread.join(10)


# Guards: what is to be obeyed before Flask runs.


def test_a_guard_without_sql_leaves_every_check_to_the_view(make_site, monkeypatch):
    def refuse() -> None:
        raise NotAllowed("a guard of this test")

    guard = Guard("nobody_today", refuse)
    monkeypatch.setitem(guards.GUARDS, "api", [*guards.GUARDS["api"], guard])
    browser = make_site().browser()
    browser.sign_in("google", "grace")
    assert ask(browser).status == ask(browser, **BY_THE_VIEW).status == 403


def test_the_fast_check_obeys_a_guard_in_sql(make_site, monkeypatch):
    def refuse_ada() -> None:
        if this_user().name == "Ada Lovelace":
            raise NotAllowed("a guard of this test")

    guard = Guard("not_ada", refuse_ada, User.name != "Ada Lovelace")
    monkeypatch.setitem(guards.GUARDS, "api", [*guards.GUARDS["api"], guard])
    site = make_site()
    browser = site.browser()
    browser.sign_in("google", "ada")
    assert ask(browser).status == 403
    lame(site)
    other = site.browser()
    other.sign_in("google", "grace")
    assert ask(other).status == 200


def test_nothing_runs_before_the_view_that_is_no_guard(site):
    """A hook beside the list would not apply to the checks that are answered before Flask."""
    hooks = [
        f"{hook.__module__}.{hook.__name__}"
        for where in (None, "api")
        for hook in site.app.before_request_funcs.get(where, ())
    ]
    assert hooks == [
        "views.operator.metrics.start_timer",
        "web.reference.begin_request",
        "web.guards.await_body",  # of changes
        "web.guards.check_site_guards",
        "flask_wtf.csrf.csrf_protect",  # of changes, by forms
        "web.guards.check_blueprint_guards",
    ]
