"""Headers, hostile input, logs: the promises for every response (docs/understand/security.md)."""

import json
import logging
import re
import socket
from urllib.parse import urlsplit

import pytest
import requests
import structlog

from tests.browser import query_of

PAGES = ["/login", "/login?switch=1", "/logout", "/account", "/account/sessions", "/nowhere"]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_its_security_headers(browser, path):
    browser.sign_in("google", "ada")
    headers = browser.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "'unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("path", ["/account", "/account/reauth", "/account/sessions", "/login"])
def test_no_page_allows_a_form_to_lead_to_another_host(browser, path):
    browser.sign_in("google", "ada")
    assert "form-action 'self';" in browser.get(path).headers["Content-Security-Policy"]


def test_a_form_that_begins_at_a_provider_is_answered_by_a_page_that_goes_on(browser, site):
    """Chromium applies form-action to each redirect after a form, and a broker's further hosts
    cannot be known."""
    browser.sign_in("google", "ada")
    page = browser.post("/account/link/github")
    assert (page.status, page.heading) == (200, "Taking you to GitHub")
    assert page.onward.startswith(f"{site.simulator.url}/github/")
    assert page.links() == [page.onward]
    assert "<form" not in page.html


def test_the_url_of_a_callback_is_not_sent_as_a_referrer(browser):
    page = browser.fetch("/login/google/authorized?state=x&code=secret")
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_static_files_may_be_cached(browser):
    page = browser.get("/login")
    (sheet,) = re.findall(r'href="(/_quickstep/static/app\.css[^"]*)"', page.html)
    assert "max-age" in browser.fetch(sheet).headers["Cache-Control"]


def test_forwarded_headers_count_only_behind_declared_proxies(make_site):
    forged = {"X-Forwarded-For": "203.0.113.9"}
    for proxies, seen in (("0", "127.0.0.1"), ("1", "203.0.113.9")):
        site = make_site(TRUSTED_PROXIES=proxies)
        browser = site.browser()
        browser.http.headers.update(forged)
        browser.sign_in("google", "ada")
        assert site.rows("SELECT address FROM sessions")[0][0] == seen


def test_a_forged_proxy_chain_is_ignored_beyond_the_trusted_proxies(make_site):
    site = make_site(TRUSTED_PROXIES="1")
    browser = site.browser()
    browser.http.headers["X-Forwarded-For"] = "198.51.100.1, 203.0.113.9"
    browser.sign_in("google", "ada")
    assert site.rows("SELECT address FROM sessions")[0][0] == "203.0.113.9"


def test_addresses_are_counted_by_the_network_that_one_customer_owns(make_site):
    """better-auth CVE-2026-45364: a /64 belongs to one customer, in every notation."""
    site = make_site(TRUSTED_PROXIES="1", REFUSALS_PER_MINUTE="2")

    def status_for(address: str) -> int:
        headers = {"X-Forwarded-For": address}
        url = f"{site.url}/login/google/authorized?state=x"
        return requests.get(url, headers=headers, timeout=5).status_code

    assert status_for("2001:db8::1") == 400
    assert status_for("2001:0db8:0:0:ffff::2") == 400
    assert status_for("2001:db8::3") == 429
    assert status_for("2001:db8:0:1::1") == 400
    assert status_for("192.0.2.1") == 400
    assert status_for("::ffff:192.0.2.1") == 400
    assert status_for("192.0.2.1") == 429


@pytest.mark.parametrize(
    ("forwarded", "seen"),
    [
        ("203.0.113.7:4711", "203.0.113.7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("2001:db8::4711", "2001:db8::4711"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::7%eth0", "fe80::7"),
        ("unknown", ""),
        ("203.0.113.7:port", ""),
    ],
)
def test_client_addresses_are_read_in_every_notation_of_proxies(make_site, capfd, forwarded, seen):
    """Otherwise all visitors of such a proxy would be counted as one."""
    site = make_site(TRUSTED_PROXIES="1")
    browser = site.browser()
    browser.http.headers["X-Forwarded-For"] = forwarded
    browser.sign_in("google", "ada")
    assert site.rows("SELECT address FROM sessions")[0][0] == seen
    assert ("address_unreadable" in capfd.readouterr().err) is (not seen)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_method_override_is_ignored(browser, method):
    browser.sign_in("google", "ada")
    page = browser.get("/logout")
    form = {"csrf_token": page.csrf_token, "_method": "POST"}
    assert browser.fetch("/logout", method, data=form).status == 405
    override = {"X-HTTP-Method-Override": method}
    assert browser.fetch("/account", headers=override).status == 200
    assert browser.me()


@pytest.mark.parametrize(
    "path",
    [
        "/login?next=%ff",
        "/login?next=" + "a" * 20000,
        "/login/google?next=%00",
        "/login/google/authorized?state=%ff%fe",
        "/login/confirm?flow=%00",
        "/account/activity?before=%00",
        "/%00",
        "/%ff",
        "/account/unlink/%00",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
    ],
)
def test_hostile_urls_get_a_clear_answer(browser, path):
    browser.sign_in("google", "ada")
    page = browser.fetch(path)
    assert page.status < 500, page


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_malformed_id_never_reaches_the_database(make_site, database):
    """PostgreSQL refuses to compare with a NUL, which ended in an error page."""
    site = make_site(database)
    browser = site.browser()
    browser.sign_in("google", "grace")
    token = browser.get("/account").csrf_token
    nul = "%00" * 32
    for path, status in (
        (f"/login/confirm?flow={nul}", 400),
        (f"/account/activity?before={nul}", 200),
        (f"/account/unlink/{nul}", 404),
        (f"/login/github/authorized?state={nul}", 303),  # to the page of the failure
    ):
        assert browser.fetch(path).status == status, path
    for path, form, status in (
        (f"/account/sessions/{nul}/end", {}, 404),
        (f"/account/unlink/{nul}", {}, 404),
        (f"/account/reauth/{nul}", {}, 404),
        ("/login/confirm", {"flow": "\0" * 32, "answer": "merge"}, 400),
    ):
        page = browser.fetch(path, "POST", data={"csrf_token": token, **form})
        assert page.status == status, path
    cookies = f"flow_{chr(0) * 32}=x; session={chr(0)}"
    assert raw(site, "/login/github", f"Cookie: {cookies}").startswith(b"HTTP/1.1 302")


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_user_agent_is_stored_without_control_characters(make_site, database):
    site = make_site(database)
    browser = site.browser()
    callback = browser.choose(browser.begin("google"), "grace")
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.http.cookies)
    path = callback.removeprefix(site.url)
    answer = raw(site, path, f"Cookie: {cookies}", "User-Agent: a\0b\x1b[2J\x9bc")
    assert answer.startswith(b"HTTP/1.1 302")
    assert site.rows("SELECT user_agent FROM sessions") == [("ab[2Jc",)]


def raw(site, path: str, *headers: str) -> bytes:
    """The response to a request that no well-behaved client would send."""
    where = urlsplit(site.url)
    lines = [f"GET {path} HTTP/1.1", f"Host: {where.netloc}", "Connection: close", *headers]
    with socket.create_connection((where.hostname, where.port), timeout=20) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_a_malformed_session_cookie_counts_as_absent(browser):
    cookies = "quickstep=broken.value; last_idp=<script>; flow_x=1; flow_=; session=x"
    page = browser.fetch("/login", headers={"Cookie": cookies})
    assert page.status == 200
    assert "<script>" not in page.html.replace("<script src", "")


def test_demo_mode_answers_this_machine_only(make_site):
    site = make_site(DEMO="1")
    assert requests.get(f"{site.url}/login", timeout=5).status_code == 200
    for headers in ({"Host": "login.example.org"}, {"Host": "192.168.1.5:5000"}):
        answer = requests.get(f"{site.url}/login", headers=headers, timeout=5)
        assert answer.status_code == 403
        assert "this machine only" in answer.text


@pytest.mark.parametrize(
    "header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "x-forwarded-proto", "Via"]
)
def test_demo_mode_refuses_requests_through_a_proxy(make_site, header):
    """Requests through a proxy or tunnel come from this machine."""
    site = make_site(DEMO="1")
    answer = requests.get(f"{site.url}/login", headers={header: "127.0.0.1"}, timeout=5)
    assert answer.status_code == 403
    assert "this machine only" in answer.text


def test_demo_mode_says_so_on_every_page(make_site):
    browser = make_site(DEMO="1").browser()
    assert "Demo mode" in browser.get("/login").text
    assert "Demo mode" in browser.get("/nowhere").text
    assert "Demo mode" in browser.get("/login/google/authorized").text
    browser.sign_in("github", "ada")
    for path in ("/account", "/account/sessions", "/account/activity", "/logout"):
        assert "Demo mode" in browser.get(path).text


def test_outside_demo_mode_no_page_mentions_it(browser):
    assert "Demo mode" not in browser.get("/login").text


# Logs.


def secret_cookies(browser) -> set[str]:
    return {c.value for c in browser.http.cookies if c.name != "last_idp"}


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_is_ever_logged(capfd, make_site, form):
    """At DEBUG, Flask-Dance logs tokens, the client secret and the verifier."""
    site = make_site(LOG_LEVEL="DEBUG", LOG_FORMAT=form)
    secrets = {"look-alike-google-secret", "look-alike-github-secret", "look-alike-facebook-secret"}
    for provider in ("google", "facebook", "github"):
        browser = site.browser()
        for behave in ("token:status_500", "token:refuses_client", "profile:html", ""):
            location = browser.begin(provider)
            callback = browser.choose(location, "wolfe", behave)
            secrets |= secret_cookies(browser)
            secrets |= {query_of(location)["state"], query_of(callback)["code"]}
            browser.get(callback)
            secrets |= secret_cookies(browser)
        look_alike = getattr(site.simulator, provider)
        secrets |= set(look_alike.tokens)
        browser.get("/login/google/authorized?state=never-logged-state&code=never-logged-code")
    secrets |= {"never-logged-state", "never-logged-code"}
    log = capfd.readouterr().err
    assert "refused" in log
    assert not [secret for secret in secrets if secret and secret in log]


def test_a_json_log_has_one_object_per_line_with_a_reference(capfd, make_site):
    site = make_site(LOG_FORMAT="json")
    site.browser().sign_in("google", "ada")
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line]
    (line,) = [line for line in lines if line["event"] == "signed_in"]
    assert (line["provider"], line["reason"]) == ("google", "identity_unknown")
    assert re.fullmatch(r"[2-9A-Z]{4}-[2-9A-Z]{4}", line["ref"])


# An escape sequence of either kind, a bell, a direction mark.
HOSTILE = "\x1b[2J\x9b31m\x07\u202e\u2066\ud800"


@pytest.mark.parametrize("form", ["text", "json"])
def test_log_lines_hold_no_terminal_control_characters(capfd, make_site, form):
    site = make_site(LOG_FORMAT=form, LOG_LEVEL="DEBUG", TRUSTED_PROXIES="1")
    browser = site.browser()
    callback = f"/login/github/authorized?state={query_of(browser.begin('github'))['state']}"
    text = "%1b%5b2J%c2%9b31m%e2%80%ae"
    browser.get(f"{callback}&error={text}x&error_description={text}{'far' * 5000}")
    browser.fetch("/login/github", headers={"X-Forwarded-For": "\x9b31m"})

    def broken() -> str:
        raise RuntimeError("long" * 20_000 + HOSTILE)

    site.app.view_functions["login.choose"] = broken
    browser.get("/login")
    with site.app.app_context():
        logging.getLogger("flask_dance.test").warning("code=%s", "a-secret-code")
        logging.getLogger("elsewhere").warning("%s %s", HOSTILE, "wide" * 5000)
        structlog.get_logger().warning(HOSTILE, value=HOSTILE, nested={"a": [HOSTILE]})
    log = capfd.readouterr().err
    assert not re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", log)
    assert r"\x1b[2J\x9b31m\x07\u202e" in log.replace("\\\\", "\\")
    assert "a-secret-code" not in log
    assert "far" * 99 not in log
    assert "wide" * 400 in log
    assert "wide" * 501 not in log
    assert "long" * 5001 not in log


def test_a_providers_text_cannot_forge_a_log_line(capfd, make_site):
    site = make_site()
    browser = site.browser()
    state = query_of(browser.begin("github"))["state"]
    browser.get(f"/login/github/authorized?state={state}&error=x%0d%0a2026 [error] forged")
    assert "\n2026 [error] forged" not in capfd.readouterr().err


@pytest.mark.parametrize("path", ["/login", "/account", "/api/v1/me", "/static/app.css", "/livez"])
@pytest.mark.parametrize("cookie", [b"a=\xff", b"session=\xff", b"quickstep=\xff\xfe", b"\xff=a"])
def test_a_cookie_that_is_not_text_locks_nobody_out(site, path, cookie):
    """A neighbouring host can plant one with any name."""
    usual = requests.get(site.url + path, allow_redirects=False, timeout=30).status_code
    sent = {"Cookie": cookie}
    answer = requests.get(site.url + path, headers=sent, allow_redirects=False, timeout=30)
    assert answer.status_code == usual
