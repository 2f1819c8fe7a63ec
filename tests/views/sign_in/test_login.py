"""Signing in and out: from the button to the account and back."""

import pytest
import requests
from flask import Response, request
from flask_login import current_user

from tests.browser import query_of
from tests.site import USUAL
from web.authentication import current_session


@pytest.mark.parametrize("provider", USUAL)
def test_a_first_sign_in_creates_an_account(browser, provider):
    page = browser.sign_in(provider, "grace")
    assert (page.status, page.path) == (200, "/account")
    me = browser.me()
    assert me["name"] == "Grace Hopper"
    assert me["email"] == "grace@navy.example"
    assert me["email_verified"] is (provider != "facebook")
    assert browser.providers() == [provider]


@pytest.mark.parametrize("provider", USUAL)
def test_a_returning_user_finds_the_same_account(browser, other, site, provider):
    browser.sign_in(provider, "grace")
    other.sign_in(provider, "grace")
    assert browser.user_id == other.user_id
    assert site.user_count() == 1


@pytest.mark.parametrize("person", ["noa", "wolfe", "leila", "bobby", "anon"])
@pytest.mark.parametrize("provider", USUAL)
def test_every_fake_person_can_sign_in(browser, provider, person):
    page = browser.sign_in(provider, person)
    assert page.status == 200
    assert browser.sign_in(provider, person).status == 200
    assert browser.providers() == [provider]
    assert "<script>alert" not in page.html
    assert "<b>" not in page.html


def test_the_root_url_redirects_to_sign_in_or_account(browser):
    assert browser.get("/").path == "/login"
    browser.sign_in("google", "ada")
    assert browser.get("/").path == "/account"


def test_the_sign_in_page_has_one_control_per_provider_in_the_operators_order(make_site):
    site = make_site(PROVIDERS="github,google")
    page = site.browser().get("/login")
    assert page.buttons == [
        "Continue with GitHub",
        "Continue with Google",
        "Continue with Facebook",
    ]
    assert page.heading == "Sign in to Quickstep"


def test_a_provider_that_is_not_configured_has_neither_button_nor_route(make_site):
    site = make_site(FACEBOOK_CLIENT_ID="", FACEBOOK_CLIENT_SECRET="")
    browser = site.browser()
    assert browser.get("/login").buttons == ["Continue with Google", "Continue with GitHub"]
    assert browser.get("/login/facebook").status == 404


def test_without_any_provider_page_and_log_say_what_is_missing(make_site, capfd):
    off = {
        f"{name}_CLIENT_{part}": "" for name in map(str.upper, USUAL) for part in ("ID", "SECRET")
    }
    site = make_site(**off, FIREBASE_PROJECT_ID="", FIREBASE_JWKS_URL="")
    browser = site.browser()
    page = browser.get("/login")
    assert "Sign-in isn't set up yet" in page.text
    assert page.status == 200
    assert "/setup" in page.links()
    guide = browser.get("/setup")
    assert guide.heading == "Set up sign-in"
    assert f"{site.url}/login/google/authorized" in guide.text
    assert {"GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"} <= set(guide.text.split())
    (line,) = [each for each in capfd.readouterr().err.splitlines() if "no_provider" in each]
    assert "The person running this server needs to add a sign-in provider." in line
    assert f"{site.url}/setup" in line


def test_a_site_for_apps_only_does_not_say_that_it_is_unfinished(make_site):
    off = {
        f"{name}_CLIENT_{part}": "" for name in map(str.upper, USUAL) for part in ("ID", "SECRET")
    }
    page = make_site(**off).browser().get("/login")
    assert "Sign in in the app" in page.text
    assert "isn't set up" not in page.text


def test_a_site_with_providers_has_no_setup_guide(browser):
    assert browser.get("/setup").status == 404


def test_the_provider_used_last_comes_first_with_a_badge(browser):
    browser.sign_in("github", "ada")
    browser.sign_out()
    page = browser.get("/login")
    assert page.buttons[0] == "Continue with GitHub"
    assert "Last used" in page.text


def test_a_signed_in_visitor_may_go_on_or_use_another_account(browser):
    browser.sign_in("google", "ada")
    page = browser.get("/login")
    assert "You're signed in as ada@gmail.com." in page.text
    assert page.buttons == ["Continue", "Use another account"]
    assert "Continue with Google" in browser.get("/login?switch=1").buttons


def test_signing_in_returns_to_the_requested_page(browser):
    assert browser.sign_in("google", "ada", next="/account/activity").path == "/account/activity"


def test_a_page_that_needs_a_session_is_returned_to_after_sign_in(browser):
    page = browser.get("/account/sessions")
    assert page.path == "/login"
    link = next(link for link in page.links() if link.startswith("/login/google"))
    page = browser.get(browser.choose(browser.fetch(link).location, "ada"))
    assert page.path == "/account/sessions"


@pytest.mark.parametrize(
    "evil",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/%09/evil.example",
        "/%2f/evil.example",
        "/%2Fevil.example",
        "/%5cevil.example",
        "/%252f%252fevil.example",
        "/%25252fevil.example",
        "javascript:alert(1)",
        "data:text/html,hi",
        "account",
        "http:/evil.example",
        "/a\r\nSet-Cookie: x=y",
        "/a//evil.example",
        " /account",
        "/" + "a" * 600,
    ],
)
def test_a_return_path_that_leaves_the_site_is_dropped(browser, evil):
    """The oauth2-proxy series of open redirects; Flask-Security GHSA-w2j7."""
    callback = browser.choose(browser.begin("google", next=evil), "ada")
    assert browser.fetch(callback).location == "/account"


def test_the_authorization_request_comes_from_settings_and_flow_only(browser, site):
    """allauth's ?auth_params= could replace redirect_uri; Kratos took login_hint."""
    location = browser.begin(
        "google",
        redirect_uri="https://evil.example/",
        scope="everything",
        state="mine",
        client_id="mine",
        prompt="none",
        login_hint="x",
    )
    query = query_of(location)
    assert set(query) == {
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
    }
    assert query["redirect_uri"] == f"{site.url}/login/google/authorized"
    assert query["scope"] == "openid email profile"
    assert len(query["state"]) >= 43
    assert query["code_challenge_method"] == "S256"


def test_each_provider_gets_its_own_authorization_parameters(browser):
    facebook = query_of(browser.begin("facebook"))
    assert facebook["scope"] == "public_profile,email"
    assert "code_challenge" not in facebook
    assert "nonce" not in facebook
    github = query_of(browser.begin("github"))
    assert github["scope"] == "read:user user:email"
    assert github["code_challenge_method"] == "S256"


def test_the_redirect_uri_never_follows_the_host_header(site):
    """Host header poisoning."""
    answer = requests.get(
        f"{site.url}/login/github",
        headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"},
        allow_redirects=False,
        timeout=5,
    )
    assert query_of(answer.headers["Location"])["redirect_uri"].startswith(site.url)


def test_a_local_server_redirects_to_its_own_host_name(site):
    """localhost and 127.0.0.1 are two sites to a browser, and a flow that changes between them
    fails."""
    numeric = site.url.replace("localhost", "127.0.0.1")
    answer = requests.get(f"{numeric}/login/google?next=/x", allow_redirects=False, timeout=5)
    assert answer.status_code == 307
    assert answer.headers["Location"] == f"{site.url}/login/google?next=/x"


@pytest.mark.parametrize("provider", USUAL)
def test_link_checkers_neither_begin_nor_use_up_a_flow(browser, site, provider):
    """HEAD and GET change nothing: a mail scanner that follows a link must not use it up."""
    assert browser.fetch(f"/login/{provider}", "HEAD").status == 200
    assert site.rows("SELECT count(*) FROM flows")[0][0] == 0
    callback = browser.choose(browser.begin(provider), "grace")
    assert browser.fetch(callback, "HEAD").status == 200
    assert browser.me() is None
    assert browser.get(callback).path == "/account"


def test_signing_out_needs_a_post_and_ends_the_session(browser):
    browser.sign_in("google", "ada")
    token = browser.cookie("session")
    page = browser.get("/logout")
    assert page.heading == "Sign out of Quickstep?"
    assert browser.me()
    page = browser.sign_out()
    assert "You're signed out of Quickstep. You may still be signed in to Google." in page.text
    assert browser.me() is None
    browser.http.cookies.set("session", token)
    assert browser.me() is None


def test_the_account_page_signs_out_with_one_form(browser):
    """The question at /logout is for links and bookmarks: a GET changes nothing."""
    browser.sign_in("google", "ada")
    page = browser.get("/account")
    assert "/logout" in page.actions()
    assert "/logout" not in page.links()
    assert "You're signed out of Quickstep." in browser.post("/logout", page).text
    assert browser.me() is None


def test_signing_out_twice_is_harmless(browser):
    browser.sign_in("google", "ada")
    page = browser.get("/logout")
    browser.post("/logout", page)
    again = browser.post("/logout", page)
    assert again.status in (200, 400)
    assert browser.get("/logout").path == "/login"


# Concurrent flows.


def test_two_tabs_with_two_providers_both_sign_in(browser):
    first = browser.choose(browser.begin("google"), "ada")
    second = browser.choose(browser.begin("google", next="/account/activity"), "ada")
    assert browser.get(second).path == "/account/activity"
    user_id = browser.user_id
    assert browser.get(first).path == "/account"
    assert browser.user_id == user_id


def test_a_double_click_on_a_provider_button_still_signs_in(browser, site):
    browser.begin("google")
    assert browser.get(browser.choose(browser.begin("google"), "ada")).path == "/account"


def test_a_callback_that_is_loaded_again_is_refused_and_offers_to_go_on(browser):
    """A user who pressed Back is still signed in, and is told so."""
    callback = browser.choose(browser.begin("google"), "ada")
    browser.get(callback)
    page = browser.get(callback)
    assert page.status == 400
    assert page.alert == "We couldn't match that sign-in"
    assert "You're signed in as ada@gmail.com." in page.text
    assert page.buttons[0] == "Continue"


def test_a_restart_between_start_and_callback_changes_nothing(make_site):
    """A worker's memory holds nothing that a sign-in needs."""
    site = make_site()
    browser = site.browser()
    callback = browser.choose(browser.begin("google"), "ada")
    before = site.app
    site.restart()
    assert site.app is not before
    assert browser.get(callback).path == "/account"
    assert browser.me()


def test_open_flows_are_capped_and_their_cookies_stay_small(browser):
    """Cookies stay far below 4096 bytes however many flows are open."""
    callbacks = [browser.choose(browser.begin("google"), "ada") for _ in range(20)]
    flow_cookies = [c for c in browser.http.cookies if c.name.startswith("flow_")]
    assert len(flow_cookies) <= 8
    assert sum(len(c.name) + len(c.value) for c in browser.http.cookies) < 2048
    assert browser.get(callbacks[0]).alert == "We couldn't match that sign-in"
    assert browser.get(callbacks[-1]).path == "/account"


def test_flow_cookies_are_deleted_after_the_flow(browser):
    browser.sign_in("google", "ada")
    assert not [c for c in browser.http.cookies if c.name.startswith("flow_")]


def test_signing_out_ends_open_flows(browser):
    """oauth2-proxy GHSA-f24x; allauth 65.20."""
    browser.sign_in("google", "ada")
    half_done = browser.choose(browser.begin("github"), "ada")
    browser.sign_out()
    assert browser.get(half_done).alert == "We couldn't match that sign-in"
    assert browser.me() is None


# Signed-in browsers.


def test_signing_in_as_another_user_asks_first(browser, other, site):
    other.sign_in("github", "linus")
    browser.sign_in("google", "grace")
    mine = browser.user_id
    page = browser.sign_in("github", "linus")
    assert page.heading == "Use another account?"
    assert browser.user_id == mine
    assert browser.answer(page, "stay").path == "/account"
    assert browser.user_id == mine
    page = browser.sign_in("github", "linus")
    browser.answer(page, "switch")
    assert browser.user_id == other.user_id


def test_signing_in_with_something_new_never_links_it(browser, site):
    """Signing in never links an identity, and never creates an account while signed in."""
    browser.sign_in("google", "grace")
    page = browser.sign_in("github", "linus")
    assert "would open a new account" in page.text
    assert site.user_count() == 1
    assert browser.providers() == ["google"]
    browser.answer(page, "switch")
    assert browser.providers() == ["github"]
    assert site.user_count() == 2


def test_signing_in_again_as_the_same_user_needs_no_question(browser, site):
    browser.sign_in("google", "grace")
    session = browser.cookie("session")
    assert browser.sign_in("google", "grace").path == "/account"
    assert browser.cookie("session") != session
    assert len(site.rows("SELECT 1 FROM sessions")) == 1


def test_signing_in_as_another_user_ends_the_flows_of_the_first(browser, other, site):
    """Second-tab linking; allauth 64.1."""
    other.sign_in("github", "linus")
    browser.sign_in("google", "grace")
    half_done = browser.choose(browser.begin("github"), "grace")
    browser.answer(browser.sign_in("github", "linus"), "switch")
    assert browser.get(half_done).alert == "We couldn't match that sign-in"
    assert browser.user_id == other.user_id


def test_code_after_a_sign_in_in_the_same_request_sees_the_new_user(site, browser):
    """Even where another user was signed in before."""
    seen = {}

    def look(response: Response) -> Response:
        session = current_session()
        seen[request.path] = session and (current_user.name, session.provider)
        return response

    site.app.after_request(look)
    browser.sign_in("google", "ada")
    assert seen["/login/google/authorized"] == ("Ada Lovelace", "google")
    browser.answer(browser.sign_in("github", "grace"), "switch")
    assert seen["/login/github/authorized"] == ("Ada Lovelace", "google")
    assert seen["/login/confirm"] == ("Grace Hopper", "github")
