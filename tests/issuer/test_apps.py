"""The applications of a person: on their page, in the API, in the export."""

import json

import requests

from tests.commands.console import run
from tests.issuer.relying_party import App


def test_a_person_sees_their_applications_and_takes_access_away(app, grace):
    assert "No apps yet" in grace.get("/account/apps").text
    tokens = app.tokens(grace, scope="openid email offline_access")
    page = grace.get("/account/apps")
    for words in ("Notes", "See your email address", "has access while you're away"):
        assert words in page.text
    assert app.is_active(tokens.access)
    link = next(link for link in page.links() if link.endswith("/remove"))
    confirm = grace.get(link)
    assert app.is_active(tokens.access)
    done = grace.post(confirm.actions()[0], confirm)
    assert "Notes has no access any more." in done.text
    assert not app.is_active(tokens.access)
    assert app.refresh(tokens.refresh).error == "invalid_grant"
    assert app.ask(grace).status == 200  # asked again
    assert "Took away the access of Notes" in grace.get("/account").text


def test_an_application_of_the_site_is_listed_with_what_it_was_granted(site, grace):
    mine = App(site, "Mine", "--first-party")
    for scope in ("openid", "openid email"):
        mine.tokens(grace, scope=scope)
    (item,) = grace.fetch("/api/v1/apps").response.json()["items"]
    assert sorted(item["scopes"]) == ["email", "openid"]
    assert "Keep this access" not in grace.get("/account/apps").text


def test_taking_access_away_tells_that_application_only(site, grace):
    site.app.extensions["jobs"].stop()
    notes, photos = (
        App(site, name, "--backchannel-logout-uri", f"https://{name}.example/out")
        for name in ("notes", "photos")
    )
    notes.tokens(grace)
    kept = photos.tokens(grace)
    grace.post(f"/account/apps/{notes.client_id}/remove")
    assert [row[0] for row in site.rows("SELECT client_id FROM logouts")] == [notes.client_id]
    assert photos.is_active(kept.access)


def test_nobody_removes_what_is_not_theirs(app, grace, other):
    tokens = app.tokens(grace)
    other.sign_in("google", "linus")
    assert other.get(f"/account/apps/{app.client_id}/remove").status == 404
    assert other.post(f"/account/apps/{app.client_id}/remove").status == 404
    csrf = other.fetch("/api/v1/me").headers["X-CSRF-Token"]
    headers = {"X-CSRF-Token": csrf}
    path = f"/api/v1/apps/{app.client_id}"
    assert other.fetch(path, "DELETE", headers=headers).status == 404
    assert app.is_active(tokens.access)


def test_the_api_lists_and_removes_applications(app, grace):
    tokens = app.tokens(grace)
    (item,) = grace.fetch("/api/v1/apps").response.json()["items"]
    assert (item["id"], item["name"]) == (app.client_id, "Notes")
    assert item["scopes"] == ["openid", "profile", "email"]
    headers = {"X-CSRF-Token": grace.fetch("/api/v1/me").headers["X-CSRF-Token"]}
    path = f"/api/v1/apps/{item['id']}"
    assert grace.fetch(path, "DELETE", headers=headers).status == 204
    assert grace.fetch("/api/v1/apps").response.json()["items"] == []
    assert not app.is_active(tokens.access)


def test_the_export_names_applications(app, grace, site):
    app.tokens(grace)
    result = run(site, "users", "export", grace.user_id or "")
    assert '"name": "Notes"' in result.stdout
    assert app.client_id in result.stdout


def test_an_access_token_with_the_scope_account_opens_our_api(site, grace):
    app = App(site, "Phone", "--scope", "openid", "--scope", "account")
    url = f"{site.url}/api/v1/me"
    for scope, status in (("openid account", 200), ("openid", 401)):
        tokens = app.tokens(grace, scope=scope)
        headers = {"Authorization": f"Bearer {tokens.access}"}
        answer = requests.get(url, headers=headers, timeout=60)
        assert answer.status_code == status, answer.text
        if status == 200:
            assert answer.json()["id"] == grace.user_id
    grace.sign_out()
    assert requests.get(url, headers=headers, timeout=60).status_code == 401


def test_a_client_of_others_deletes_no_account_and_exports_none(site, grace):
    options = ("--scope", "openid", "--scope", "account")
    tokens = App(site, "Others", *options).tokens(grace, scope="openid account")
    headers = {"Authorization": f"Bearer {tokens.access}"}
    me = f"{site.url}/api/v1/me"
    for method, url in (("DELETE", me), ("POST", f"{site.url}/api/v1/export")):
        answer = requests.request(method, url, headers=headers, timeout=60)
        assert (answer.status_code, answer.json()["code"]) == (403, "reauth_required")
    assert requests.get(me, headers=headers, timeout=60).status_code == 200
    own = App(site, "Own", *options, "--first-party").tokens(grace, scope="openid account")
    headers = {"Authorization": f"Bearer {own.access}"}
    assert requests.delete(me, headers=headers, timeout=60).status_code == 204


def test_our_api_says_who_issues_its_tokens(site):
    challenge = requests.get(f"{site.url}/api/v1/me", timeout=60).headers["WWW-Authenticate"]
    where = challenge.partition('resource_metadata="')[2].rstrip('"')
    document = requests.get(where, timeout=60).json()
    assert document["authorization_servers"] == [site.url]
    assert document["resource"] == f"{site.url}/api/v1"


def test_the_page_that_confirms_deletion_names_connected_applications(app, grace, site):
    assert "apps" not in grace.get("/account/delete").text.partition("be undone")[2]
    app.sign_in(grace)
    odd = App(site, "<b>Odd</b> & sons")
    odd.tokens(grace)
    App(site, "Never used")
    page = grace.get("/account/delete")
    assert "You'll be signed out of the apps that you use with this account:" in page.text
    assert "<bdi>Notes</bdi>" in page.html
    assert "<bdi>&lt;b&gt;Odd&lt;/b&gt; &amp; sons</bdi>" in page.html
    assert "Never used" not in page.text
    again = grace.post("/account/delete", page, confirm="no")
    assert "Notes" in again.text


def test_the_export_has_each_sign_in_to_an_application(app, grace, site):
    app.tokens(grace)
    app.tokens(grace, scope="openid offline_access")
    grace.post(f"/account/apps/{app.client_id}/remove")
    app.tokens(grace)
    document = json.loads(run(site, "users", "export", grace.user_id or "").stdout)
    grants = document["app_grants"]
    assert [grant["app"] for grant in grants] == ["Notes"] * 3
    assert [grant["ended_at"] is None for grant in grants] == [True, False, False]
    assert grants[0]["scopes"] == ["openid", "profile", "email"]
    assert "Firefox" in grants[0]["user_agent"]
    assert grants[0]["address"] == "127.0.0.1"
    assert grants[0]["provider"] == "google"
    assert {"code_hash", "salt", "nonce"}.isdisjoint(grants[0])
