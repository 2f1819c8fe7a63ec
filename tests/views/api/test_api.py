"""The JSON API: the signed-in user, their name, identities and sessions; and its refusals."""

import re
from typing import Any

import pytest

from tests.browser import Browser, Page
from tests.views.api.client import csrf, faults, problem, send

LONG_AGO = "2026-01-01 00:00:00.000000"
UNSAFE = (
    ("PATCH", "/api/v1/me"),
    ("DELETE", "/api/v1/identities/x"),
    ("DELETE", "/api/v1/sessions/x"),
)
READS = ("/api/v1/me", "/api/v1/identities", "/api/v1/sessions")


def rename(browser: Browser, **fields: Any) -> Page:
    return send(browser, "PATCH", "/api/v1/me", json=fields)


def test_me_describes_the_signed_in_user(browser):
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
        "groups",
        "roles",
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


def test_me_without_a_session_is_a_401_problem(browser):
    page = browser.fetch("/api/v1/me")
    assert page.status == 401
    assert page.headers["Content-Type"] == "application/problem+json"
    assert page.headers["WWW-Authenticate"].startswith("Bearer ")
    problem = page.response.json()
    assert (problem["status"], problem["code"]) == (401, "unauthorized")
    assert problem["request_id"]


def test_api_responses_are_not_cacheable(browser):
    assert browser.fetch("/api/v1/me").headers["Cache-Control"] == "no-store"
    browser.sign_in("google", "grace")
    assert browser.fetch("/api/v1/me").headers["Cache-Control"] == "no-store"


def test_an_unknown_api_path_is_a_problem_document(browser):
    for path, method, status in (("/api/v1/nothing", "GET", 404), ("/api/v1/me", "PUT", 405)):
        page = browser.fetch(path, method)
        assert page.status == status
        assert page.headers["Content-Type"] == "application/problem+json"


def test_api_responses_hold_no_token(browser, site):
    browser.sign_in("google", "grace")
    (access_token,) = site.simulator.google.tokens
    assert access_token not in browser.fetch("/api/v1/me").html
    assert access_token not in browser.get("/account").html


# Authentication.


@pytest.mark.parametrize(("method", "path"), [*UNSAFE, *(("GET", path) for path in READS)])
def test_every_api_operation_needs_authentication(browser, method, path):
    page = browser.fetch(path, method)
    assert problem(page) == (401, "unauthorized")
    assert page.headers["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.parametrize(("method", "path"), UNSAFE)
def test_a_change_by_cookie_needs_the_csrf_header(grace, other, method, path):
    other.sign_in("github", "linus")
    token = csrf(grace)["X-CSRF-Token"]
    for headers in ({}, {"X-CSRF-Token": "made-up"}, csrf(other)):
        page = grace.fetch(path, method, headers=headers, json={"name": "Mallory"})
        assert problem(page) == (403, "csrf")
    form = {"csrf_token": token, "name": "Mallory"}
    assert problem(grace.fetch(path, method, data=form)) == (403, "csrf")
    assert grace.me()["name"] != "Mallory"


def test_the_csrf_token_is_given_only_to_sessions_by_cookie(browser):
    assert "X-CSRF-Token" not in browser.fetch("/api/v1/me").headers
    browser.sign_in("google", "grace")
    assert csrf(browser)["X-CSRF-Token"]


def test_too_many_changes_are_a_429(grace):
    headers = csrf(grace)
    for _ in range(60):
        page = grace.fetch("/api/v1/sessions/x", "DELETE", headers=headers)
        if page.status == 429:
            break
    else:
        page = grace.fetch("/api/v1/sessions/x", "DELETE", headers=headers)
    assert problem(page) == (429, "rate")
    assert int(page.headers["Retry-After"]) > 0
    assert grace.me()


# The name.


def test_a_new_name_is_stored_and_listed_in_the_activity(grace, other):
    page = rename(grace, name="  Amazing\u202e Grace\x00 ")
    assert (page.status, page.response.json()) == (200, grace.me())
    assert grace.me()["name"] == "Amazing Grace"
    other.sign_in("google", "grace")
    assert other.me()["name"] == "Amazing Grace"
    assert "Name changed" in grace.get("/account/activity").text


def test_setting_the_same_name_is_not_an_event(grace):
    rename(grace, name=grace.me()["name"])
    assert "Name changed" not in grace.get("/account/activity").text


@pytest.mark.parametrize("name", [None, "", " \t ", "\u202e"])
def test_an_empty_name_removes_the_name(grace, name):
    assert rename(grace, name=name).response.json()["name"] is None
    assert "No name" in grace.get("/account").text


def test_fields_that_cannot_be_written_are_named(grace):
    """Zitadel CVE-2026-27946: clients could write email_verified."""
    before = grace.me()
    page = rename(grace, name="X", email="x@example.com", email_verified=True, id="x", admin=True)
    assert problem(page) == (422, "invalid_fields")
    assert faults(page) == {
        "email": "is read-only",
        "email_verified": "is read-only",
        "id": "is read-only",
        "admin": "is not known here",
    }
    assert grace.me() == before


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({}, "is missing"),
        ({"name": 7}, "Input should be a valid string"),
        ({"name": ["Grace"]}, "Input should be a valid string"),
        ({"name": "x" * 201}, "String should have at most 200 characters"),
    ],
)
def test_a_bad_name_is_a_422_that_says_why(grace, fields, detail):
    page = rename(grace, **fields)
    assert problem(page) == (422, "invalid_fields")
    assert faults(page) == {"name": detail}


NO_JSON = (b"", b"{", b"{'name': 'x'}", b'{"name": "\xff"}', b'{"name": "\\ud800"}', b"[" * 5000)


def test_a_body_that_is_not_json_is_a_400(grace):
    headers = {"Content-Type": "application/json"}
    for body in NO_JSON:
        page = send(grace, "PATCH", "/api/v1/me", data=body, headers=headers)
        assert problem(page) == (400, "malformed_json"), body


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"]
)
def test_another_content_type_than_json_is_a_415(grace, content_type):
    headers = {"Content-Type": content_type} if content_type else {}
    page = send(grace, "PATCH", "/api/v1/me", data=b'{"name": "x"}', headers=headers)
    assert problem(page) == (415, "unsupported_media_type")
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    page = send(grace, "PATCH", "/api/v1/me", data=b'{"name": "x"}', headers=headers)
    assert page.status == 200


def test_an_oversized_api_body_is_a_413(grace):
    page = rename(grace, name="x" * 70000)
    assert problem(page) == (413, "request_entity_too_large")


def test_many_bad_fields_with_long_names_make_a_short_response(grace):
    page = rename(grace, **{f"{number}" * 1000: 1 for number in range(10, 30)})
    assert problem(page) == (422, "invalid_fields")
    assert len(page.html) < 2000


# Identities.


def test_identities_are_listed_as_in_me(grace):
    answer = grace.fetch("/api/v1/identities").response.json()
    assert answer == {"items": grace.me()["identities"], "next_cursor": None}


def test_an_identity_can_be_removed_unless_it_is_the_last(grace, other):
    github, google = grace.identity("github"), grace.identity("google")
    page = send(grace, "DELETE", f"/api/v1/identities/{github}")
    assert (page.status, page.html) == (204, "")
    assert grace.providers() == ["google"]
    page = send(grace, "DELETE", f"/api/v1/identities/{google}")
    assert problem(page) == (409, "last_way_in")
    assert page.response.json()["detail"] == "This is your only way to sign in"
    assert grace.providers() == ["google"]
    assert "Removed GitHub" in grace.get("/account/activity").text


def test_removing_an_identity_needs_a_recent_sign_in(grace, site):
    github = grace.identity("github")
    site.execute("UPDATE sessions SET authenticated_at = :at", at=LONG_AGO)
    page = send(grace, "DELETE", f"/api/v1/identities/{github}")
    assert problem(page) == (403, "reauth_required")
    where = page.response.json()["reauth_url"]
    assert where == f"{site.url}/account/reauth"
    grace.reauth(grace.get(where), "grace")
    assert send(grace, "DELETE", f"/api/v1/identities/{github}").status == 204


@pytest.mark.parametrize("kind", ["identities", "sessions"])
def test_another_users_identity_or_session_answers_like_a_missing_one(grace, other, kind):
    """better-auth CVE-2025-61928."""
    other.sign_in("github", "linus")
    (theirs,) = other.fetch(f"/api/v1/{kind}").response.json()["items"]
    answers = []
    for thing in (theirs["id"], "0" * 32, "x"):
        page = send(grace, "DELETE", f"/api/v1/{kind}/{thing}")
        assert problem(page) == (404, "not_found")
        answers.append({**page.response.json(), "request_id": ""})
    assert answers[0] == answers[1] == answers[2]
    assert other.me()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_ids_that_no_database_accepts_answer_like_missing_ones(make_site, database):
    browser = make_site(database).browser()
    browser.sign_in("google", "grace")
    for kind in ("identities", "sessions"):
        for thing in ("%00", "%ff", "x" * 5000, "%F0%9F%8E%89"):
            assert send(browser, "DELETE", f"/api/v1/{kind}/{thing}").status == 404


# Sessions.


def test_sessions_are_listed_with_the_current_one_marked(grace, other):
    other.sign_in("google", "grace")
    items = grace.fetch("/api/v1/sessions").response.json()["items"]
    assert [item["current"] for item in items] == [False, True]
    assert set(items[0]) == {
        *("id", "current", "provider", "device", "ip_address", "created_at"),
        *("authenticated_at", "last_seen_at", "expires_at"),
    }
    told = tuple(items[0][field] for field in ("provider", "device", "ip_address"))
    assert told == ("google", "Firefox on Linux", "127.0.0.1")
    for moment in ("created_at", "authenticated_at", "last_seen_at", "expires_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", items[0][moment])


def test_another_session_is_ended_immediately(grace, other):
    other.sign_in("google", "grace")
    theirs = grace.fetch("/api/v1/sessions").response.json()["items"][0]
    page = send(grace, "DELETE", f"/api/v1/sessions/{theirs['id']}")
    assert (page.status, page.html) == (204, "")
    assert other.me() is None
    assert grace.me()
    assert "Signed out 1 other session" in grace.get("/account/activity").text


def test_ending_the_current_session_signs_out(grace):
    (this,) = grace.fetch("/api/v1/sessions").response.json()["items"]
    assert send(grace, "DELETE", f"/api/v1/sessions/{this['id']}").status == 204
    assert grace.cookie("session") is None
    assert grace.me() is None
    grace.sign_in("google", "grace")
    assert "Signed out" in grace.get("/account/activity").text


# Other requests.


def test_a_405_lists_the_allowed_methods(grace):
    page = send(grace, "PUT", "/api/v1/me")
    assert problem(page) == (405, "method_not_allowed")
    assert set(page.headers["Allow"].split(", ")) == {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH"}


def test_refused_requests_do_not_count_as_refused_sign_ins(make_site):
    browser = make_site(REFUSALS_PER_MINUTE="1").browser()
    browser.sign_in("google", "grace")
    for _ in range(3):
        browser.fetch("/api/v1/sessions?cursor=x")
        browser.fetch("/api/v1/me", "PATCH")
    assert browser.fetch("/login/google").status == 302
