"""GET /api/v1/me."""

import re


def test_me_tells_who_is_signed_in(browser):
    browser.sign_in("google", "grace")
    browser.link("github", "grace")
    me = browser.me()
    assert set(me) == {
        "id",
        "name",
        "email",
        "email_verified",
        "picture",
        "created_at",
        "identities",
    }
    assert (me["email"], me["email_verified"]) == ("grace@navy.example", True)
    google, github = me["identities"]
    assert set(google) == {
        "id",
        "provider",
        "subject",
        "email",
        "email_verified",
        "linked_at",
        "last_used_at",
    }
    assert (google["provider"], github["provider"]) == ("google", "github")
    assert isinstance(github["subject"], str)
    for moment in (me["created_at"], google["linked_at"], google["last_used_at"]):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", moment)


def test_without_a_session_it_is_a_401_problem(browser):
    page = browser.fetch("/api/v1/me")
    assert page.status == 401
    assert page.headers["Content-Type"] == "application/problem+json"
    assert page.headers["WWW-Authenticate"].startswith("Bearer ")
    problem = page.response.json()
    assert (problem["status"], problem["code"]) == (401, "unauthorized")
    assert problem["request_id"]


def test_its_answers_are_nobody_elses_to_keep(browser):
    assert browser.fetch("/api/v1/me").headers["Cache-Control"] == "no-store"
    browser.sign_in("google", "grace")
    assert browser.fetch("/api/v1/me").headers["Cache-Control"] == "no-store"


def test_what_is_not_there_is_a_problem_too(browser):
    for path, method, status in (("/api/v1/nothing", "GET", 404), ("/api/v1/me", "PUT", 405)):
        page = browser.fetch(path, method)
        assert page.status == status
        assert page.headers["Content-Type"] == "application/problem+json"


def test_no_token_is_ever_in_it(browser, site):
    browser.sign_in("google", "grace")
    (access_token,) = site.simulator.google.tokens
    assert access_token not in browser.fetch("/api/v1/me").html
    assert access_token not in browser.get("/account").html
