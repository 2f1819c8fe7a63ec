"""Sentences of docs/integrate/api.md that no other test checks."""

import json
import re
from pathlib import Path

import pytest

from accounts import activity
from accounts.activity import Caller, EventKind
from tests.views.api.client import csrf, problem, send
from web import limits

GUIDE = (Path(__file__).parents[3] / "docs" / "integrate" / "api.md").read_text(encoding="utf-8")
SENSITIVE = (("POST", "/api/v1/export"), ("DELETE", "/api/v1/identities/x"))


def test_pages_of_this_site_may_send_the_token_of_their_forms(grace):
    headers = {"X-CSRF-Token": grace.get("/account/profile").csrf_token}
    assert grace.fetch("/api/v1/me", "PATCH", json={"name": "G."}, headers=headers).status == 200


def test_a_page_of_a_list_has_50_items_unless_asked_otherwise(grace, site):
    for _ in range(60):
        site.inside(activity.record, grace.user_id, EventKind.RENAMED, Caller())
    assert len(grace.fetch("/api/v1/activity").response.json()["items"]) == 50
    assert len(grace.fetch("/api/v1/activity?limit=100").response.json()["items"]) == 62


def test_pages_and_the_api_share_the_limit_of_changes(make_site, monkeypatch):
    monkeypatch.setattr(limits, "ACTIONS_PER_MINUTE", 4)
    browser = make_site().browser()
    browser.sign_in("google", "grace")
    page = browser.get("/account/profile")
    for name in ("a", "b"):
        browser.post("/account/profile", page, name=name)
    for method, path in SENSITIVE:
        assert send(browser, method, path).status != 429
    for method, path in (*SENSITIVE, ("DELETE", "/api/v1/me"), ("PATCH", "/api/v1/me")):
        refused = send(browser, method, path)
        assert problem(refused) == (429, "rate")
        assert int(refused.headers["Retry-After"]) > 0
    assert browser.post("/account/profile", page, name="c").status == 429
    assert browser.me()["name"] == "b"


@pytest.mark.parametrize(("method", "path"), SENSITIVE)
def test_without_a_session_a_change_is_a_401_whatever_else_is_wrong(browser, method, path):
    page = browser.fetch(path, method, data=b"x", headers={"X-CSRF-Token": "x"})
    assert problem(page) == (401, "unauthorized")


def test_after_a_deletion_everything_is_a_401(grace, site):
    headers = csrf(grace)
    old = dict(grace.http.cookies)
    assert grace.fetch("/api/v1/me", "DELETE", headers=headers).status == 204
    grace.http.cookies.update(old)
    for method, path in (
        *(("GET", "/api/v1/me"), ("GET", "/api/v1/activity"), ("PATCH", "/api/v1/me")),
        *(("DELETE", "/api/v1/me"), ("POST", "/api/v1/export"), ("GET", "/api/v1/sessions")),
        ("DELETE", "/api/v1/sessions/current"),
    ):
        assert problem(grace.fetch(path, method, headers=headers)) == (401, "unauthorized")
    assert grace.fetch("/api/v1/providers").status == 200


def test_an_app_may_do_sensitive_acts_after_a_token_that_says_when_its_person_authenticated(site):
    """docs/integrate/mobile.md: Google's tokens have no auth_time, Firebase's have."""
    app, google = site.browser(), site.simulator.google
    app.bring(google.native_token("grace"))
    site.execute("UPDATE sessions SET authenticated_at = '2026-01-01 00:00:00.000000'")
    app.bring(google.native_token("grace"))
    assert problem(send(app, "POST", "/api/v1/export")) == (403, "reauth_required")
    app.bring(site.simulator.firebase.mint("grace"))
    assert send(app, "POST", "/api/v1/export").status == 200


def test_the_example_of_an_error_is_what_the_api_answers(grace):
    example = json.loads(re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)[0])
    page = send(grace, "PATCH", "/api/v1/me", json={"name": "x", "email": "x@example.org"})
    assert {**page.response.json(), "request_id": example["request_id"]} == example
