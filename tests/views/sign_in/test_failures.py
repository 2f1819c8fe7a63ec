"""Every failure is designed: reason, page, log line and a reference that they share."""

import json
import re
import time

import pytest
import requests
import time_machine

from simulator.misbehaviour import ANSWERS
from tests.browser import query_of
from tests.site import USUAL
from tests.views.sign_in.failures import assert_designed

SLOW = {"slow", "drip"}
# Valid responses to a request for addresses: there are none, or they are not shared.
NO_ADDRESSES = {"list", "scope_lacks"}
ODD = [
    (provider, where, answer)
    for provider, where in (
        *((usual, "token") for usual in USUAL),
        ("facebook", "profile"),
        ("github", "profile"),
        ("github", "emails"),
    )
    for answer in sorted(set(ANSWERS) - SLOW)
    if where != "emails" or answer not in NO_ADDRESSES
]


def test_a_cancelled_sign_in_says_so_and_offers_another(browser, site):
    page = browser.cancel("google")
    assert_designed(page, 403, "Sign-in wasn't completed")
    assert "You closed or declined the Google screen. Nothing was shared." in page.text
    assert "If you did neither, Google does not allow your account here" in page.text
    assert "Continue with Google" in page.buttons
    assert site.user_count() == 0


def test_an_expired_flow_is_refused(browser):
    callback = browser.choose(browser.begin("github"), "ada")
    with time_machine.travel(time.time() + 601, tick=True):
        page = browser.get(callback)
    assert_designed(page, 400, "That sign-in took too long")
    assert browser.sign_in("github", "ada").path == "/account"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "code=x",
        "state=",
        "state=made-up&code=x",
        "state=" + "x" * 5000 + "&code=x",
        "state=%00&code=x",
        "state=é&code=x",
        "state=a&state=b&code=x",
        "error=access_denied",
        "error=access_denied&state=made-up",
        "error=<script>alert(1)</script>&error_description=hello",
    ],
)
@pytest.mark.parametrize("provider", USUAL)
def test_a_missing_unknown_or_doubled_state_is_refused(browser, site, provider, query):
    """Refused before any token request, without a login loop and without text from the URL."""
    browser.begin(provider)
    page = browser.get(f"/login/{provider}/authorized?{query}")
    assert_designed(page, 400, "We couldn't match that sign-in")
    assert "<script>alert" not in page.html
    assert "hello" not in page.html
    assert getattr(site.simulator, provider).seen.count("token") == 0


def test_the_state_of_another_browser_is_refused(browser, other, site):
    """Login CSRF: the attacker's callback does not sign the victim in as the attacker."""
    callback = other.choose(other.begin("google"), "mallory")
    browser.begin("github")
    assert_designed(browser.get(callback), 400, "We couldn't match that sign-in")
    assert browser.me() is None
    assert "token" not in site.simulator.google.seen
    assert other.get(callback).path == "/account"


def test_knowing_a_flows_id_is_not_enough_to_use_it(browser, other, site):
    """The id appears in URLs (/login/confirm); the flow's cookie must hold its secret."""
    callback = other.choose(other.begin("google"), "mallory")
    (flow_id,) = site.rows("SELECT id FROM flows")[0]
    for made_up in ("x", other.cookie(f"flow_{flow_id}")[:-1]):
        browser.http.cookies.set(f"flow_{flow_id}", made_up, domain="localhost.local", path="/")
        assert_designed(browser.get(callback), 400, "We couldn't match that sign-in")
    assert browser.me() is None
    assert "token" not in site.simulator.google.seen


def test_the_state_of_another_provider_is_refused(browser):
    """allauth 65.20.0 accepted one provider's state at another."""
    callback = browser.choose(browser.begin("google"), "ada")
    moved = callback.replace("/login/google/", "/login/github/")
    assert_designed(browser.get(moved), 400, "We couldn't match that sign-in")
    assert browser.me() is None


def test_a_code_of_another_flow_is_refused(browser, other):
    """Code injection: PKCE binds the code to the flow that requested it."""
    stolen = query_of(other.choose(other.begin("github"), "ada"))["code"]
    mine = browser.choose(browser.begin("github"), "grace")
    page = browser.get(mine.replace(query_of(mine)["code"], stolen))
    assert_designed(page, 502, "GitHub couldn't complete the sign-in")
    assert browser.me() is None


def test_an_id_token_of_another_flow_is_refused(browser, other, site):
    """The same at an issuer without PKCE, where the nonce binds them."""
    site.simulator.google.pkce = False
    for code in site.simulator.google.codes.values():
        code.challenge = None
    stolen = query_of(other.choose(other.begin("google"), "ada"))["code"]
    mine = browser.choose(browser.begin("google"), "grace")
    site.simulator.google.codes[stolen].challenge = None
    page = browser.get(mine.replace(query_of(mine)["code"], stolen))
    assert_designed(page, 502, "Google couldn't complete the sign-in")


def test_blocked_cookies_are_explained(site):
    browser = site.browser()
    callback = browser.choose(browser.begin("google"), "ada")
    fresh = site.browser()
    page = fresh.get(callback)
    assert_designed(page, 400, "Your browser is blocking cookies")
    assert f"Allow cookies for {site.url.removeprefix('http://')}" in page.text
    # The same buttons again are the way to try again.
    assert page.buttons == [f"Continue with {label}" for label in ("Google", "Facebook", "GitHub")]


def test_a_browser_without_cookies_is_not_redirected_in_a_loop(site):
    """Stock Flask-Dance sends a callback without cookies back to login, forever."""
    url = f"{site.url}/login/google"
    for _ in range(3):
        begun = requests.get(url, allow_redirects=False, timeout=5)
        data = {"person": "ada"}
        back = requests.post(begun.headers["Location"], data=data, allow_redirects=False, timeout=5)
        failed = requests.get(back.headers["Location"], timeout=5)
        assert (failed.status_code, len(failed.history)) == (400, 1)


def test_a_misconfigured_provider_shows_the_visitor_little_and_the_log_enough(make_site, capfd):
    site = make_site(GITHUB_CLIENT_SECRET="wrong", LOG_FORMAT="json")
    page = site.browser().sign_in("github", "ada")
    assert_designed(page, 502, "GitHub sign-in isn't working on this site")
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line[:1] == "{"]
    (line,) = [line for line in lines if line["event"] == "refused"]
    assert line["level"] == "error"
    assert (line["reason"], line["provider"]) == ("misconfigured", "github")
    assert "incorrect_client_credentials" in line["detail"]
    assert line["ref"] in page.text
    assert "has been told" not in page.text  # nothing is sent
    assert "this site's log says why. Choose another way, or tell the" in page.text


@pytest.mark.parametrize("provider", ["google", "facebook"])
def test_a_wrong_client_secret_is_reported_as_misconfigured(make_site, provider):
    site = make_site(**{f"{provider.upper()}_CLIENT_SECRET": "wrong"})
    page = site.browser().sign_in(provider, "ada")
    assert page.alert.endswith("sign-in isn't working on this site")


def test_an_error_in_the_callback_is_shown(browser):
    page = browser.sign_in("google", "ada", behave="callback:server_error")
    assert_designed(page, 502, "Google couldn't complete the sign-in")


def test_facebooks_own_form_of_error_is_understood(browser):
    page = browser.sign_in("facebook", "ada", behave="callback:server_error")
    assert_designed(page, 502, "Facebook couldn't complete the sign-in")


def test_a_callback_with_neither_code_nor_error_is_refused(browser):
    page = browser.sign_in("github", "ada", behave="callback:no_code")
    assert_designed(page, 502, "GitHub couldn't complete the sign-in")


def test_a_form_without_a_valid_csrf_token_is_refused(browser):
    browser.sign_in("google", "ada")
    page = browser.fetch("/logout", "POST")
    assert_designed(page, 400, "That page was out of date")
    assert browser.me()


def test_a_page_left_open_overnight_still_works(browser):
    """A CSRF token limit of an hour breaks a page that was left open."""
    browser.sign_in("google", "ada")
    page = browser.get("/logout")
    with time_machine.travel(time.time() + 12 * 3600, tick=True):
        assert "You're signed out" in browser.post("/logout", page).text


def test_too_many_refusals_are_a_429(make_site):
    site = make_site(REFUSALS_PER_MINUTE="3")
    browser = site.browser()
    browser.begin("google")
    for _ in range(3):
        assert browser.get("/login/google/authorized?state=x").status == 400
    page = browser.get("/login/google/authorized?state=x")
    assert_designed(page, 429, "Too many attempts")
    assert 0 < int(page.headers["Retry-After"]) <= 60
    assert "Please wait 1 minute, then try again." in page.text
    assert browser.get("/login/google").status == 429
    assert browser.get("/login").status == 200


def test_a_successful_sign_in_does_not_reset_the_count_of_refusals(make_site):
    site = make_site(REFUSALS_PER_MINUTE="2")
    browser = site.browser()
    browser.get("/login/google/authorized?state=x")
    assert browser.sign_in("google", "ada").path == "/account"
    browser.get("/login/google/authorized?state=x")
    assert browser.get("/login/google/authorized?state=x").status == 429


# Odd responses of providers.


@pytest.mark.parametrize(("provider", "where", "answer"), ODD)
def test_every_odd_response_of_a_provider_ends_in_an_error_page_and_a_working_retry(
    browser, site, provider, where, answer
):
    """Stock Flask-Dance: a 500 on 301 of 380 such cases."""
    page = browser.sign_in(provider, "grace", behave=f"{where}:{answer}")
    assert page.status in (502, 504), page
    assert page.alert
    assert re.search(r"Reference [2-9A-Z]{4}-[2-9A-Z]{4}", page.text)
    assert site.user_count() == 0
    assert browser.sign_in(provider, "grace").path == "/account"


@pytest.mark.parametrize("answer", sorted(SLOW))
def test_a_provider_that_never_answers_is_abandoned_within_the_time_limit(
    browser, monkeypatch, answer
):
    """Stock Flask-Dance hangs a worker forever."""
    monkeypatch.setattr("providers.http.connections.READ_SECONDS", 1.2)
    monkeypatch.setattr("providers.http.connections.TOTAL_SECONDS", 2.5)
    page = browser.sign_in("github", "ada", behave=f"token:{answer}")
    assert_designed(page, 504, "GitHub isn't answering")
    assert page.buttons == ["Try again", "Continue with Google", "Continue with Facebook"]


def test_an_unreachable_provider_does_not_affect_the_others(make_site):
    site = make_site(
        GITHUB_TOKEN_URL="http://127.0.0.1:9/token", GOOGLE_ISSUER="http://127.0.0.1:9"
    )
    browser = site.browser()
    assert "Continue with Google" in browser.get("/login").buttons
    page = browser.get("/login/google")
    assert_designed(page, 502, "Google isn't answering")
    assert browser.sign_in("facebook", "grace").path == "/account"


# The site itself.


def test_a_database_outage_during_a_callback_is_a_503(make_site, tmp_path):
    """Nothing is half-written, and the user can try again."""
    site = make_site()
    browser = site.browser()
    browser.sign_in("google", "ada")
    before = browser.cookie("session")
    callback = browser.choose(browser.begin("github"), "grace")
    site.execute("ALTER TABLE oauth RENAME TO elsewhere")
    page = browser.get(callback)
    assert (page.status, page.heading) == (503, "Back soon")
    assert page.headers["Retry-After"]
    assert browser.cookie("session") == before
    site.execute("ALTER TABLE elsewhere RENAME TO oauth")
    assert browser.me()
    assert site.user_count() == 1
    assert browser.sign_in("google", "ada").path == "/account"


def test_a_refusal_that_cannot_be_recorded_is_a_503(site, browser, capfd):
    """The error handler of the first fault must survive the second."""
    browser.sign_in("google", "ada")
    callback = browser.choose(browser.begin_link("github"), "grace", "token:status_500")
    site.execute("ALTER TABLE events RENAME TO elsewhere")
    page = browser.get(callback)
    assert (page.status, page.heading) == (503, "Back soon")
    assert page.headers["Retry-After"]
    assert "Traceback" not in capfd.readouterr().err
    site.execute("ALTER TABLE elsewhere RENAME TO events")
    assert browser.link("github", "grace").path == "/account"


def test_a_database_without_tables_says_so(make_site, tmp_path, capfd):
    site = make_site(DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite")
    page = site.browser().get("/login/google")
    assert page.status == 503
    assert "no such table" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("path", "method", "status", "heading"),
    [
        ("/nowhere", "GET", 404, "Page not found"),
        ("/login/myspace", "GET", 404, "Page not found"),
        ("/login", "POST", 405, "That action isn't possible here"),
        ("/account/sessions/x/end", "GET", 405, "That action isn't possible here"),
    ],
)
def test_unknown_urls_and_wrong_methods_get_an_error_page(browser, path, method, status, heading):
    page = browser.fetch(path, method)
    assert (page.status, page.heading) == (status, heading)
    assert page.title.startswith("Error: ")


def test_an_oversized_form_is_refused(browser):
    page = browser.fetch("/logout", "POST", data={"csrf_token": "x" * 200_000})
    assert page.status in (400, 413)
    assert page.heading or page.alert


def test_a_bug_is_a_page_with_a_reference_and_a_traceback_in_the_log(capfd, site):
    def broken() -> str:
        raise RuntimeError("oh")

    site.app.view_functions["login.choose"] = broken
    page = site.browser().get("/login")
    assert (page.status, page.heading) == (500, "Something went wrong on our side")
    reference = page.text.partition("Reference ")[2][:9]
    log = capfd.readouterr().err
    assert reference in log
    assert "RuntimeError: oh" in log
    assert "oh" not in page.text.split()


@pytest.mark.parametrize("path", ["/login", "/api/v1/me", "/livez"])
def test_a_malformed_host_header_is_a_400(site, path):
    answer = requests.get(f"{site.url}{path}", headers={"Host": ".."}, timeout=10)
    assert answer.status_code == 400
