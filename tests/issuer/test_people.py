"""The person in front of an authorization request: signed in, asked, and who may not."""

import json
import time

import pytest
import requests

from tests.browser import Browser
from tests.commands.console import answer as command
from tests.issuer.relying_party import CALLBACK, App, allow, query_of
from tests.issuer.times import age_sessions


def error_of(page) -> str:
    return query_of(page.location).get("error", "")


def auth_time(app: App, browser: Browser, got: dict[str, str]) -> int:
    tokens = app.exchange(got["code"])
    return int(app.claims(tokens.document["id_token"])["auth_time"])


def test_a_repeated_sign_in_says_which_application_asks_for_it(app, grace):
    page = app.ask(grace, prompt="login")
    assert (page.heading, page.path) == ("Confirm it's you", "/account/reauth")
    assert "Notes asks you to sign in again." in page.text


def test_a_sign_in_that_is_not_repeated_is_told_to_the_application(app, grace, site):
    app.sign_in(grace)
    for asked in ({"prompt": "login"}, {"max_age": "0"}):
        page = app.ask(grace, **asked)
        assert page.buttons[-1] == "Cancel"
        assert "form-action 'self' https://notes.example;" in page.security_policy
        got = query_of(allow(grace, page, "deny").location)
        assert (got["error"], got["state"]) == ("access_denied", "the state")
        assert got["iss"] == site.url
        assert allow(grace, page, "deny").heading == "Start again in the app"
    assert grace.get("/account").status == 200


def test_a_sign_in_that_failed_when_repeated_leads_back_to_the_application(app, grace):
    app.sign_in(grace)
    page = grace.reauth(app.ask(grace, prompt="login"), "linus")
    assert page.buttons == ["Try again", "Back to Notes"]
    assert query_of(allow(grace, page, "deny").location)["error"] == "access_denied"


def test_only_the_person_who_was_asked_declines(app, grace):
    app.sign_in(grace)
    path = app.ask(grace, prompt="login").actions()[-1]
    grace.sign_out()
    grace.sign_in("google", "linus")
    form = {"csrf_token": grace.get("/account").csrf_token, "answer": "deny"}
    assert grace.fetch(path, "POST", data=form).location == path


def test_a_sign_in_is_not_repeated_by_an_answer_that_nobody_was_asked_for(app, grace):
    """The form of "Cancel" with another answer."""
    app.sign_in(grace)
    answered = allow(grace, app.ask(grace, prompt="login"), "allow")
    assert answered.location.startswith("/oauth2/continue/")


# Consent.


def test_a_consent_is_remembered_until_more_is_asked(app, grace):
    app.sign_in(grace, scope="openid profile")
    again = app.ask(grace, scope="openid profile")
    assert "code" in query_of(again.location)
    more = app.ask(grace, scope="openid profile email")
    assert (more.status, more.path.startswith("/oauth2/continue/")) == (200, True)
    assert "code" in query_of(app.ask(grace, scope="openid").location)


def test_a_person_may_refuse(app, grace):
    page = allow(grace, app.ask(grace), "deny")
    got = query_of(page.location)
    assert (got["error"], got["state"]) == ("access_denied", "the state")
    assert app.ask(grace).status == 200


def test_the_consent_page_says_what_who_and_where(app, grace):
    page = app.ask(grace)
    for words in ("Notes", "See your email address", "notes.example", "grace@navy.example"):
        assert words in page.text
    assert "form-action 'self' https://notes.example;" in page.headers["Content-Security-Policy"]
    assert "unsafe" not in page.headers["Content-Security-Policy"]


def test_a_clients_name_is_escaped(grace, site):
    app = App(site, "<script>alert(1)</script>{{ 7*7 }}")
    page = app.ask(grace)
    assert "<script>alert" not in page.html
    assert "49" not in page.heading


def test_a_first_party_client_asks_nobody(grace, site):
    app = App(site, "Ours", "--first-party")
    assert "code" in query_of(app.ask(grace).location)
    assert app.ask(grace, prompt="consent").status == 200


def test_prompt_consent_asks_again(app, grace):
    app.sign_in(grace)
    assert app.ask(grace, prompt="consent").status == 200


def test_an_answer_counts_once(app, grace):
    page = app.ask(grace)
    assert "code" in query_of(allow(grace, page).location)
    assert allow(grace, page).status == 400


def test_an_answer_needs_its_csrf_token(app, grace):
    page = app.ask(grace)
    refused = grace.fetch(page.actions()[-1], "POST", data={"answer": "allow"})
    assert refused.location == ""


def test_a_parked_request_belongs_to_one_browser(app, grace, site, other):
    """A link to it does nothing for anybody else, signed in or not."""
    page = app.ask(grace)
    path = page.path
    assert other.get(path).status == 400
    other.sign_in("google", "linus")
    assert other.get(path).status == 400
    mine = other.get("/account")
    sent = other.fetch(path, "POST", data={"csrf_token": mine.csrf_token, "answer": "allow"})
    assert (sent.status, sent.location) == (400, "")


def test_an_answer_counts_for_the_person_who_was_asked_only(app, grace):
    """The consent page is left open, and somebody else signs in in another tab."""
    page = app.ask(grace)
    grace.sign_out()
    grace.sign_in("google", "linus")
    token = grace.get("/account").csrf_token
    answer = grace.fetch(page.path, "POST", data={"csrf_token": token, "answer": "allow"})
    assert answer.location.startswith("/oauth2/continue/")


def test_a_planted_session_signs_nobody_in_to_an_application(app, grace, other, site):
    """A neighbouring host can plant a session cookie of a plain name, not Flask's own."""
    name = site.app.config.get("SESSION_COOKIE_NAME")
    assert name
    for cookie in grace.http.cookies:
        if cookie.name == "session":
            other.http.cookies.set(cookie.name, cookie.value or "", domain="localhost.local")
    assert other.user_id == grace.user_id
    app.sign_in(grace)
    page = app.ask(other)
    assert page.path == "/account/reauth"
    assert error_of(app.ask(other, prompt="none")) == "login_required"


# prompt and max_age.


def test_prompt_none_answers_without_asking(app, grace, browser):
    assert error_of(app.ask(browser, prompt="none")) == "login_required"
    assert error_of(app.ask(grace, prompt="none")) == "consent_required"
    app.sign_in(grace)
    assert "code" in query_of(app.ask(grace, prompt="none").location)


def test_prompt_login_asks_the_same_person_to_sign_in_again(app, grace, site):
    app.sign_in(grace)
    age_sessions(site, 100)
    before = time.time()
    page = app.ask(grace, prompt="login")
    assert page.path == "/account/reauth"
    done = grace.reauth(page, "grace")
    assert auth_time(app, grace, query_of(done.location)) >= int(before)


def test_prompt_login_asks_also_who_has_just_signed_in(app, grace):
    app.sign_in(grace)
    assert app.ask(grace, prompt="login").path == "/account/reauth"


def test_another_identity_cannot_answer_prompt_login(app, grace):
    app.sign_in(grace)
    page = grace.reauth(app.ask(grace, prompt="login"), "linus")
    assert page.location == ""
    assert page.alert == "That's a different account"


@pytest.mark.parametrize(("age", "asks"), [("0", True), ("50", True), ("10000", False)])
def test_max_age_asks_for_a_newer_sign_in(app, grace, site, age, asks):
    app.sign_in(grace)
    age_sessions(site, 100)
    page = app.ask(grace, max_age=age)
    assert (page.path == "/account/reauth") is asks
    if asks:
        assert error_of(app.ask(grace, max_age=age, prompt="none")) == "login_required"
        page = grace.reauth(page, "grace")
    got = auth_time(app, grace, query_of(page.location))
    assert (time.time() - got < 50) is asks


def test_select_account_offers_another_account(app, grace):
    app.sign_in(grace)
    page = app.ask(grace, prompt="select_account")
    assert page.path == "/login"
    assert "Continue as Grace" in " ".join(page.buttons)
    onward = next(link for link in page.links() if link.startswith("/oauth2/continue/"))
    assert "code" in query_of(grace.get(onward).location)
    assert error_of(app.ask(grace, prompt="none select_account")) == "invalid_request"


def test_a_hint_about_another_person_asks_them_to_sign_in(app, grace, site, other):
    other.sign_in("google", "linus")
    hint = app.tokens(other).document["id_token"]
    app.sign_in(grace)
    assert error_of(app.ask(grace, id_token_hint=hint, prompt="none")) == "login_required"
    page = app.ask(grace, id_token_hint=hint)
    assert page.path == "/login"
    own = app.tokens(grace).document["id_token"]
    assert "code" in query_of(app.ask(grace, id_token_hint=own, prompt="none").location)


def test_claims_may_name_the_expected_person(app, grace):
    app.sign_in(grace)
    for sub, error in (("somebody else", "login_required"), (grace.user_id, "")):
        claims = json.dumps({"id_token": {"sub": {"value": sub}}})
        assert error_of(app.ask(grace, claims=claims, prompt="none")) == error


def test_claims_put_granted_claims_into_the_id_token(app, grace):
    wanted = {"id_token": {"email": {"essential": True}, "name": None}, "userinfo": {"email": None}}
    tokens = app.tokens(grace, scope="openid email", claims=json.dumps(wanted))
    claims = app.claims(tokens.document["id_token"])
    assert claims["email"] == "grace@navy.example"
    assert "name" not in claims  # its scope was not granted


@pytest.mark.parametrize(
    "more",
    [
        {"display": "popup"},
        {"ui_locales": "de fr"},
        {"claims_locales": "de"},
        {"acr_values": "1 2"},
        {"login_hint": "grace@navy.example"},
        {"extra": "unknown"},
    ],
)
def test_optional_parameters_change_nothing(app, grace, more):
    app.sign_in(grace)
    assert "code" in query_of(app.ask(grace, **more).location)


# state, modes, methods.


@pytest.mark.parametrize("state", ["a b+c%20", "ü ☃ {}\"'<>&", "x" * 4000, None])
def test_the_state_comes_back_as_it_was(app, grace, state):
    app.sign_in(grace)
    got = query_of(app.ask(grace, state=state).location)
    assert got.get("state") == state


def test_a_form_post_answer_is_a_form_to_the_client(app, grace, site):
    app.sign_in(grace)
    page = app.ask(grace, response_mode="form_post", state='a "b" <c>')
    assert page.status == 200
    assert page.actions() == [CALLBACK]
    assert 'value="a &#34;b&#34; &lt;c&gt;"' in page.html
    assert f'name="iss" value="{site.url}"' in page.html
    assert "form-action 'self' https:;" in page.headers["Content-Security-Policy"]
    code = page.hidden("code")
    assert app.exchange(code).status == 200


def test_a_request_by_post_from_another_site_goes_on_with_our_cookies(app, grace, browser, site):
    app.sign_in(grace)
    # SameSite=Lax: the browser sends no cookies with the POST itself.
    posted = requests.post(
        f"{site.url}/oauth2/authorize", data=app.authorization(), allow_redirects=False, timeout=60
    )
    assert posted.status_code == 303
    for cookie in posted.cookies:
        grace.http.cookies.set_cookie(cookie)
    assert "code" in query_of(grace.get(posted.headers["Location"]).location)


def test_a_request_without_openid_gets_no_id_token(app, grace):
    tokens = app.tokens(grace, scope="profile")
    assert "id_token" not in tokens.document
    assert tokens.document["scope"] == "profile"


def test_unknown_scopes_are_dropped_and_the_answer_says_so(app, grace):
    tokens = app.tokens(grace, scope="openid email frog account")
    assert tokens.document["scope"] == "openid email"


# Native apps.


@pytest.mark.parametrize(
    ("registered", "used"),
    [
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb"),
        ("http://localhost/cb", "http://localhost:8976/cb"),
        ("http://[::1]/cb", "http://[::1]:61023/cb"),
        ("com.example.app:/cb", "com.example.app:/cb"),
    ],
)
def test_a_native_app_comes_back_by_any_port_and_is_asked_each_time(grace, site, registered, used):
    app = App(site, "Phone", "--public", "--first-party", "--redirect-uri", registered)
    app.redirect_uri = used
    for _ in range(2):
        page = app.ask(grace)
        assert page.heading == "Continue to Phone?"
        assert app.ask(grace, prompt="none").location.startswith(used)
        answer = allow(grace, page)
        assert answer.location.startswith(f"{used}?")
        tokens = app.exchange(query_of(answer.location)["code"])
        assert tokens.status == 200
    assert app.refresh(tokens.refresh).status == 200


# Admission.


def test_only_people_whom_the_rules_admit_may_use_a_client(grace, site):
    app = App(site, "Navy", "--allow", "domain=navy.example")
    app.sign_in(grace)
    closed = App(site, "Closed", "--allow", "domain=other.example")
    page = closed.ask(grace)
    assert page.status == 403
    assert "can't use Closed" in page.heading
    assert error_of(closed.ask(grace, prompt="none")) == "access_denied"
    back = allow(grace, page, "deny")
    assert error_of(back) == "access_denied"
    assert allow(grace, closed.ask(grace)).location.startswith("/oauth2/continue/")


@pytest.mark.parametrize("rule", ["user=ID", "provider=google", "everyone"])
def test_a_rule_admits_by_person_or_provider(grace, site, rule):
    app = App(site, "Rules", "--allow", rule.replace("ID", grace.user_id or ""))
    assert app.tokens(grace).status == 200


def test_a_group_admits_its_members_and_is_a_claim(grace, site):
    app = App(site, "Crew", "--allow", "group=crew", "--scope", "openid", "--scope", "groups")
    assert app.ask(grace).status == 403
    command(site, "groups", "add", "crew", grace.user_id)
    command(site, "groups", "add", "navy", grace.user_id)
    tokens = app.tokens(grace, scope="openid groups")
    assert app.userinfo(tokens.access).json()["groups"] == ["crew", "navy"]
    assert app.introspect(tokens.access)["groups"] == ["crew", "navy"]
    command(site, "groups", "remove", "crew", grace.user_id)
    assert not app.is_active(tokens.access)
    assert app.refresh(tokens.refresh).error == "invalid_grant"


def test_a_rule_that_is_taken_away_ends_what_it_allowed(grace, site):
    app = App(site, "Navy", "--allow", "domain=navy.example")
    tokens = app.tokens(grace)
    command(site, "clients", "set", app.client_id, "--allow", "domain=other.example")
    assert not app.is_active(tokens.access)
    assert app.refresh(tokens.refresh).error == "invalid_grant"
    assert app.userinfo(tokens.access).status_code == 401


def test_a_code_is_refused_if_its_person_is_not_admitted_any_more(grace, site):
    app = App(site, "Navy", "--allow", "provider=google")
    code = app.sign_in(grace)["code"]
    site.execute("UPDATE clients SET allow = '[\"provider=github\"]'")
    assert app.exchange(code).error == "invalid_grant"


def test_clients_without_rules_may_be_closed_by_a_setting(make_site):
    site = make_site(APPS_DEFAULT="closed")
    browser = site.browser()
    browser.sign_in("google", "grace")
    app = App(site)
    assert "nobody" in app.registered["may_use_it"]
    assert app.ask(browser).status == 403
