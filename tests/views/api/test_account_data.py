"""A person's data as a whole: activity, export, deletion; the providers, and signing out."""

import re

import pytest
import requests
from pydantic import BaseModel

from tests.views.api.client import csrf, problem, send
from views.api import export_schemas

LONG_AGO = "2026-01-01 00:00:00.000000"
SENSITIVE = (("POST", "/api/v1/export"), ("DELETE", "/api/v1/me"))
CHANGES = (
    *SENSITIVE,
    ("DELETE", "/api/v1/sessions/current"),
    ("DELETE", "/api/v1/sessions"),
)
EVENT_FIELDS = {
    *("id", "at", "kind", "text", "reason", "provider", "device", "ip_address", "request_id"),
}


# Providers.


def test_the_providers_are_listed_without_a_session(browser, site):
    page = browser.fetch("/api/v1/providers")
    assert page.status == 200
    items = page.response.json()["items"]
    assert [item["label"] for item in items] == ["Google", "Facebook", "GitHub"]
    assert items[0] == {"name": "google", "label": "Google", "url": f"{site.url}/login/google"}
    assert browser.fetch(items[0]["url"]).status == 302


def test_the_providers_are_listed_in_the_order_of_the_sign_in_page(make_site):
    browser = make_site(PROVIDERS="github,google").browser()
    items = browser.fetch("/api/v1/providers").response.json()["items"]
    assert [item["name"] for item in items] == ["github", "google", "facebook"]


def test_a_site_without_providers_lists_none(make_site):
    browser = make_site(look_alikes=("firebase",)).browser()
    assert browser.fetch("/api/v1/providers").response.json() == {"items": [], "next_cursor": None}


# Activity.


def test_the_activity_says_what_the_page_says(grace):
    items = grace.fetch("/api/v1/activity").response.json()["items"]
    assert [item["kind"] for item in items] == ["linked", "signed_in"]
    assert items[0]["text"] == "Connected GitHub"
    assert items[0]["text"] in grace.get("/account/activity").text
    for item in items:
        assert set(item) == EVENT_FIELDS
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", item["at"])
        assert re.fullmatch(r"[2-9A-Z]{4}-[2-9A-Z]{4}", item["request_id"])


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_pages_of_the_activity_hold_every_event_once(make_site, database):
    browser = make_site(database).browser()
    browser.sign_in("google", "grace")
    headers = csrf(browser)
    for name in "abcd":
        browser.fetch("/api/v1/me", "PATCH", json={"name": name}, headers=headers)
    whole = browser.fetch("/api/v1/activity").response.json()["items"]
    found, query = [], {"limit": "2"}
    for _ in range(3):
        answer = browser.fetch("/api/v1/activity", params=query).response.json()
        found += answer["items"]
        query["cursor"] = answer["next_cursor"]
    assert len(whole) == 5
    assert (found, answer["next_cursor"]) == (whole, None)


def test_nobody_sees_the_activity_of_others(grace, other):
    other.sign_in("github", "linus")
    (mine,) = other.fetch("/api/v1/activity").response.json()["items"]
    assert mine not in grace.fetch("/api/v1/activity").response.json()["items"]


# Export.


def test_the_export_holds_what_the_download_page_gives(grace):
    page = send(grace, "POST", "/api/v1/export")
    assert page.status == 200
    export = page.response.json()
    assert export["profile"]["id"] == grace.user_id
    assert [row["provider"] for row in export["identities"]] == ["google", "github"]
    assert len(export["sessions"]) == 1
    assert export["activity"][0]["kind"] == "downloaded"
    page = grace.post("/account/data")
    assert set(page.response.json()) == set(export)


def test_every_field_of_the_export_is_in_the_openapi_document(grace):
    export = send(grace, "POST", "/api/v1/export").response.json()
    models: dict[str, type[BaseModel]] = {
        "identities": export_schemas.ExportedIdentity,
        "sessions": export_schemas.ExportedSession,
        "activity": export_schemas.ExportedEvent,
    }
    assert set(export) == set(export_schemas.Export.model_fields)
    assert set(export["profile"]) == set(export_schemas.ExportedProfile.model_fields)
    for part, model in models.items():
        assert all(set(row) == set(model.model_fields) for row in export[part])


# Deletion.


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_deleted_account_is_gone_with_all_its_sessions(make_site, database):
    site = make_site(database)
    browser, other = site.browser(), site.browser()
    for each in (browser, other):
        each.sign_in("google", "grace")
    page = send(browser, "DELETE", "/api/v1/me")
    assert (page.status, page.html) == (204, "")
    assert site.user_count() == 0
    assert browser.cookie("session") is None
    for each in (browser, other):
        assert problem(each.fetch("/api/v1/me")) == (401, "unauthorized")


# Sensitive acts.


@pytest.mark.parametrize(("method", "path"), SENSITIVE)
def test_a_sensitive_act_of_the_api_needs_a_recent_sign_in(grace, site, method, path):
    site.execute("UPDATE sessions SET authenticated_at = :at", at=LONG_AGO)
    page = send(grace, method, path)
    assert problem(page) == (403, "reauth_required")
    assert site.user_count() == 1
    assert page.response.json()["url"] == f"{site.url}/account/reauth"
    grace.reauth(grace.get(page.response.json()["url"]), "grace")
    assert send(grace, method, path).status < 300


def test_the_session_cookie_alone_is_enough_for_a_sensitive_act(grace, site):
    """An app keeps one cookie; what it may do must not depend on a second one."""
    cookie = {"Cookie": f"session={grace.cookie('session')}"}
    token = requests.get(f"{site.url}/api/v1/me", headers=cookie, timeout=10)
    headers = {**cookie, "X-CSRF-Token": token.headers["X-CSRF-Token"]}
    export = requests.post(f"{site.url}/api/v1/export", headers=headers, timeout=10)
    assert export.status_code == 200
    deleted = requests.delete(f"{site.url}/api/v1/me", headers=headers, timeout=10)
    assert (deleted.status_code, site.user_count()) == (204, 0)


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_export_deletion_and_sign_out_need_authentication_and_the_csrf_header(grace, method, path):
    assert problem(grace.site.browser().fetch(path, method)) == (401, "unauthorized")
    assert problem(grace.fetch(path, method)) == (403, "csrf")
    assert problem(grace.fetch(path, method, headers={"X-CSRF-Token": "x"})) == (403, "csrf")
    assert grace.me()


def test_a_fresh_bearer_token_exports_and_deletes_without_touching_cookies(site, other, browser):
    token = site.simulator.firebase.mint("grace")
    other.bring(token)
    headers = {"Authorization": f"Bearer {token}"}
    exported = browser.fetch("/api/v1/export", "POST", headers=headers)
    assert exported.response.json()["profile"]["name"] == "Grace Hopper"
    deleted = browser.fetch("/api/v1/me", "DELETE", headers=headers)
    assert (deleted.status, site.user_count()) == (204, 0)
    assert "Set-Cookie" not in deleted.headers
    assert problem(browser.fetch("/api/v1/me", headers=headers)) == (401, "unknown_account")


# Sign-out.


def test_one_call_signs_out(grace, other):
    other.sign_in("google", "grace")
    page = send(grace, "DELETE", "/api/v1/sessions/current")
    assert (page.status, page.html) == (204, "")
    assert grace.cookie("session") is None
    assert grace.me() is None
    assert other.me()
    assert "Signed out" in other.get("/account/activity").text


def test_one_call_ends_all_other_sessions(grace, other):
    third = grace.site.browser()
    for each in (other, third):
        each.sign_in("google", "grace")
    assert send(grace, "DELETE", "/api/v1/sessions").status == 204
    assert grace.me()
    assert other.me() is third.me() is None
    assert "Signed out 2 other sessions" in grace.get("/account/activity").text
    assert send(grace, "DELETE", "/api/v1/sessions").status == 204


def test_a_bearer_token_ends_all_sessions(site, browser):
    token = site.simulator.firebase.mint("ada")
    browser.bring(token)
    headers = {"Authorization": f"Bearer {token}"}
    assert site.browser().fetch("/api/v1/sessions", "DELETE", headers=headers).status == 204
    assert browser.me() is None


def test_a_bearer_token_has_no_session_to_end(site, browser):
    token = site.simulator.firebase.mint("ada")
    browser.bring(token)
    headers = {"Authorization": f"Bearer {token}"}
    page = browser.fetch("/api/v1/sessions/current", "DELETE", headers=headers)
    assert problem(page) == (404, "not_found")
    assert browser.me()
