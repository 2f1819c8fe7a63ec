"""Sessions: the cookie, the row, and when they end."""

import random
import time
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any

import pytest
import requests
import time_machine
from flask.sessions import SecureCookieSessionInterface

from accounts import cleanup, sessions
from tests.browser import Browser
from tests.site import Site

DAY = 86400


def set_cookies(response: requests.Response) -> dict[str, dict[str, Any]]:
    """The cookies that a response sets, with their attributes."""
    found = {}
    for header in response.raw.headers.getlist("Set-Cookie"):
        cookie = SimpleCookie(header)
        for name, morsel in cookie.items():
            found[name] = {"value": morsel.value, **{k: v for k, v in morsel.items() if v}}
    return found


def cookies_of_sign_in(site, **headers: str) -> dict[str, dict[str, Any]]:
    browser = site.browser()
    browser.http.headers.update(headers)
    return set_cookies(browser.fetch(browser.choose(browser.begin("google"), "ada")).response)


def test_the_cookie_is_an_opaque_token_that_only_this_site_reads(site):
    cookie = cookies_of_sign_in(site)["session"]
    assert len(cookie["value"]) >= 43
    assert (cookie["path"], cookie["samesite"]) == ("/", "Lax")
    assert cookie["httponly"] is True
    assert "domain" not in cookie


def test_over_https_every_cookie_is_secure_and_ours_are_bound_to_the_host(make_site):
    site = make_site(PUBLIC_URL="https://login.example.org", SESSION_COOKIE_NAME="__Host-session")
    browser = site.browser()
    begun = set_cookies(browser.fetch("/login/github").response)
    (name,) = begun
    assert name.startswith("__Host-flow_")
    assert begun[name]["secure"] is True
    answer = browser.fetch("/logout", "POST")
    assert answer.headers["Strict-Transport-Security"]


def test_the_row_holds_a_hash_of_the_token(browser, site):
    browser.sign_in("google", "ada")
    dump = str(site.rows("SELECT * FROM sessions")) + str(site.rows("SELECT * FROM flows"))
    assert browser.cookie("session") not in dump


def test_a_session_survives_closing_the_browser(site):
    assert int(cookies_of_sign_in(site)["session"]["max-age"]) == 90 * DAY


def test_signing_in_makes_a_new_session(browser, site):
    """Session fixation: a token planted before the sign-in is useless after it."""
    browser.http.cookies.set("session", "planted-by-an-attacker", domain="localhost.local")
    browser.sign_in("google", "ada")
    values = [c.value for c in browser.http.cookies if c.name == "session"]
    assert "planted-by-an-attacker" not in values
    planted = site.browser()
    planted.http.cookies.set("session", "planted-by-an-attacker")
    assert planted.me() is None


@pytest.mark.parametrize("value", ["", "x", "x" * 5000, "é", "'; DROP TABLE sessions;--"])
def test_a_made_up_session_cookie_is_refused(browser, value):
    page = browser.fetch("/account", headers={"Cookie": f"session={value}".encode()})
    assert page.status == 302


def test_an_idle_session_ends(browser):
    browser.sign_in("google", "ada")
    with time_machine.travel(time.time() + 13 * DAY, tick=True):
        assert browser.me()
    with time_machine.travel(time.time() + 26 * DAY, tick=True):
        assert browser.me()
    with time_machine.travel(time.time() + 41 * DAY, tick=True):
        assert browser.me() is None


def test_no_session_outlives_90_days(browser):
    browser.sign_in("google", "ada")
    for day in range(10, 90, 10):
        with time_machine.travel(time.time() + day * DAY, tick=True):
            assert browser.me()
    with time_machine.travel(time.time() + 91 * DAY, tick=True):
        browser.http.cookies.set("session", browser.cookie("session") or "")
        assert browser.me() is None


def test_disabling_a_user_ends_their_sessions_immediately(browser, site):
    """Pocket-ID CVE-2026-43983, allauth 65.13."""
    browser.sign_in("google", "ada")
    site.execute("UPDATE users SET disabled_at = '2026-01-01 00:00:00.000000'")
    assert browser.me() is None
    assert browser.get("/account").path == "/login"


def test_last_use_is_written_at_most_once_a_minute(browser, site):
    browser.sign_in("google", "ada")
    before = site.rows("SELECT last_seen_at FROM sessions")
    browser.me()
    assert site.rows("SELECT last_seen_at FROM sessions") == before
    with time_machine.travel(time.time() + 61, tick=True):
        browser.me()
    assert site.rows("SELECT last_seen_at FROM sessions") != before


def test_a_user_has_at_most_a_hundred_sessions(browser, site):
    browser.sign_in("google", "ada")
    site.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150) "
        "INSERT INTO sessions (id, token_hash, user_id, identity_id, provider, created_at, "
        "authenticated_at, last_seen_at, expires_at, user_agent, address, sid) "
        "SELECT 'id' || i, 'hash' || i, user_id, identity_id, provider, "
        "created_at, authenticated_at, '2026-11-01 00:00:00.000000', expires_at, user_agent, "
        "address, 'sid' || i FROM sessions, n"
    )
    browser.sign_in("google", "ada")
    assert site.rows("SELECT count(*) FROM sessions")[0][0] == 100
    assert browser.me()


FAIL_ONCE = """
CREATE SEQUENCE commits;
CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('commits') = 1 THEN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER fail_once AFTER INSERT ON sessions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail_once();
"""


def test_a_sign_in_that_commits_at_the_second_try_still_replaces_the_session(make_site):
    """Its auth_time is not later than that of the session it replaces."""
    site = make_site("postgresql")
    browser = site.browser()
    browser.sign_in("google", "grace")
    site.execute("UPDATE sessions SET authenticated_at = '2026-01-01 00:00:00+00'")
    before = site.rows("SELECT id, authenticated_at FROM sessions")
    site.execute(FAIL_ONCE)
    browser.sign_in("google", "grace")
    after = site.rows("SELECT id, authenticated_at FROM sessions")
    assert site.rows("SELECT last_value FROM commits") == [(2,)]
    assert len(after) == 1
    assert after[0].id != before[0].id
    assert after[0].authenticated_at == before[0].authenticated_at


def who_is_signed_in(site: Site, browser: Browser) -> dict[str, Any]:
    """The cookies that identify a user; a refusal may note that another account is wanted."""
    cookies = browser.http.cookies.get_dict()
    known = {name: cookies[name] for name in ("session", "last_idp") if name in cookies}
    signed = SecureCookieSessionInterface().get_signing_serializer(site.app)
    cookie = cookies.get("quickstep")
    content = signed.loads(cookie) if signed and cookie else {}
    return known | {name: content[name] for name in content if name != "choose_account"}


@pytest.mark.parametrize("has_session", [True, False])
def test_a_sign_in_refused_at_the_second_try_leaves_the_session_unchanged(
    make_site, monkeypatch, has_session
):
    """The account is disabled between the tries, so the session of the first try never existed."""
    site = make_site("postgresql")
    browser, owner = site.browser(), site.browser()
    (browser if has_session else owner).sign_in("google", "grace")
    callback = browser.choose(browser.begin("google"), "grace")
    before = who_is_signed_in(site, browser)
    site.execute(FAIL_ONCE)

    def meanwhile(*_: float) -> float:
        site.execute("UPDATE users SET disabled_at = now()")
        return 0.0

    monkeypatch.setattr(random, "uniform", meanwhile)  # of the pause
    assert browser.get(callback).alert == "This account is disabled"
    assert who_is_signed_in(site, browser) == before


ENDS = {
    "alive": "UPDATE sessions SET last_seen_at = last_seen_at",
    "its time is up": "UPDATE sessions SET expires_at = :past",
    "idle for too long": "UPDATE sessions SET last_seen_at = :past",
}


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
@pytest.mark.parametrize("end", ENDS)
def test_guard_fast_check_cleanup_and_metric_agree_on_which_sessions_are_alive(
    make_site, engine, end
):
    """The page, the fast check of the API, the list of sessions, the metric and the cleanup."""
    site = make_site(engine)
    browser = site.browser()
    browser.sign_in("google", "ada")
    browser.me()  # the fast check answers the next one
    user_id = browser.user_id
    values = {"past": datetime.now(UTC) - timedelta(days=15)} if end != "alive" else {}
    site.execute(ENDS[end], **values)
    is_alive = end == "alive"
    assert (browser.fetch("/api/v1/me").status == 200) is is_alive
    assert (browser.get("/account").path == "/account") is is_alive
    assert bool(site.inside(sessions.of_user, user_id)) is is_alive
    assert f"quickstep_sessions {float(is_alive)}" in browser.http.get(f"{site.url}/metrics").text
    assert site.inside(cleanup.run_now)["sessions"] == (0 if is_alive else 1)


def test_signing_out_ends_the_flows_of_this_browser(browser):
    """allauth 65.20, oauth2-proxy GHSA-f24x: what was begun before must not end after."""
    browser.sign_in("google", "ada")
    callback = browser.choose(browser.begin("github"), "linus")
    cookies = browser.http.cookies.copy()
    browser.sign_out()
    browser.sign_in("google", "ada")
    for cookie in cookies:  # also in a browser that kept its cookie
        if cookie.name.startswith("flow_"):
            browser.http.cookies.set_cookie(cookie)
    assert browser.get(callback).alert == "We couldn't match that sign-in"
    assert browser.providers() == ["google"]
