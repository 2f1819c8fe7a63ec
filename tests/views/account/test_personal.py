"""The user's own data: profile, address and picture, export, deletion."""

import json
import re

import pytest
from sqlalchemy import inspect

from storage import db
from tests.browser import Browser, Page

LONG_AGO = "2026-01-01 00:00:00.000000"


@pytest.fixture
def grace(browser):
    """Grace, signed in with Google, and with GitHub and Facebook linked."""
    browser.sign_in("google", "grace")
    browser.link("github", "linus")
    browser.link("facebook", "grace")
    return browser


def save(browser: Browser, **form: str) -> Page:
    return browser.post("/account/profile", browser.get("/account/profile"), **form)


def delete(browser: Browser, confirm: str = "DELETE") -> Page:
    return browser.post("/account/delete", browser.get("/account/delete"), confirm=confirm)


def download(browser: Browser) -> Page:
    return browser.post("/account/data", browser.get("/account/data"))


@pytest.mark.parametrize("path", ["profile", "data", "delete", "identities/x"])
def test_every_profile_page_needs_a_session(browser, path):
    assert "next=/account" in browser.fetch(f"/account/{path}").location.replace("%2F", "/")
    assert browser.fetch(f"/account/{path}", "POST").status in (302, 400, 405)


# The profile.


def test_a_name_can_be_changed(grace):
    page = save(grace, name="  Amazing\u202e Grace\n ")
    assert page.message == "Profile saved."
    assert grace.me()["name"] == "Amazing Grace"
    assert "Name changed" in grace.get("/account/activity").text
    grace.sign_in("google", "grace")
    assert grace.me()["name"] == "Amazing Grace"


def test_a_name_can_be_removed(grace):
    assert "No name" in save(grace, name=" ").text
    assert grace.me()["name"] is None


def test_a_hostile_name_is_escaped(grace):
    save(grace, name='"><script>alert(1)</script>' + "x" * 300)
    assert len(grace.me()["name"]) == 200
    assert "<script>alert" not in grace.get("/account").html + grace.get("/account/profile").html


def test_an_address_can_be_chosen(grace):
    assert grace.me()["email"] == "grace@navy.example"
    save(grace, email=grace.identity("github"))
    assert grace.me()["email"] == "linus@chemistry.example"
    assert "Email changed" in grace.get("/account/activity").text
    page = grace.get("/account/profile")
    assert re.search(rf'value="{grace.identity("github")}" checked', page.html)
    save(grace, email="")
    assert grace.me()["email"] == "grace@navy.example"


def test_an_unverified_address_cannot_be_chosen(grace):
    assert "Facebook" not in grace.get("/account/profile").text.partition("Picture")[0]
    page = save(grace, email=grace.identity("facebook"))
    assert (page.status, page.heading) == (404, "Page not found")
    assert grace.me()["email_verified"] is True


def test_removing_the_chosen_address_falls_back_to_the_next(grace, site):
    save(grace, email=grace.identity("github"))
    grace.unlink(grace.identity("github"))
    assert grace.me()["email"] == "grace@navy.example"
    assert site.rows("SELECT email_choice FROM users") == [(None,)]


def test_a_picture_can_be_chosen_and_is_never_fetched(grace):
    assert "googleusercontent" in grace.me()["picture"]
    save(grace, picture=grace.identity("github"))
    assert "githubusercontent" in grace.me()["picture"]
    save(grace, picture="")
    assert grace.me()["picture"] is None
    assert "usercontent" not in grace.get("/account").html


def test_removing_an_identity_removes_its_picture(grace):
    save(grace, picture=grace.identity("github"))
    grace.unlink(grace.identity("github"))
    assert grace.me()["picture"] is None


@pytest.mark.parametrize("field", ["email", "picture"])
def test_another_users_address_or_picture_cannot_be_chosen(grace, other, field):
    """better-auth CVE-2025-61928."""
    other.sign_in("google", "uma")
    other.link("github", "ada")
    before = grace.me()
    for identity in (other.identity("github"), "0" * 32, "x" * 500):
        page = save(grace, name="Mallory", **{field: identity})
        assert (page.status, page.heading) == (404, "Page not found")
    assert grace.me() == before


def test_changing_the_profile_needs_a_csrf_token(grace):
    assert grace.fetch("/account/profile", "POST", data={"name": "Mallory"}).status == 400
    assert grace.me()["name"] == "Grace Hopper"


# The export.


def test_the_export_holds_all_data_of_the_account(grace, site):
    page = download(grace)
    assert page.headers["Content-Type"] == "application/json"
    assert page.headers["Cache-Control"] == "no-store"
    name = r'attachment; filename="account-\d{4}-\d\d-\d\d\.json"'
    assert re.fullmatch(name, page.headers["Content-Disposition"])
    data = json.loads(page.html)
    assert data["profile"]["email"] == "grace@navy.example"
    assert {row["provider"]: row["name"] for row in data["identities"]} == {
        "google": "Grace Hopper",
        "github": "Linus Pauling",
        "facebook": "Grace Hopper",
    }
    subjects = {row["subject"] for row in data["identities"]}
    assert subjects == {row[0] for row in site.rows("SELECT subject FROM oauth")}
    assert data["sessions"][0]["address"] == "127.0.0.1"
    assert [row["kind"] for row in data["activity"]] == [
        *("downloaded", "linked", "linked", "signed_in")
    ]
    assert "Account data downloaded" in grace.get("/account/activity").text


def test_the_export_holds_no_secret(grace, other, site):
    other.sign_in("google", "uma")
    text = download(grace).html
    look_alikes = (site.simulator.google, site.simulator.github, site.simulator.facebook)
    secrets = [token for one in look_alikes for token in one.tokens]
    secrets += [grace.cookie("session"), *site.rows("SELECT token_hash FROM sessions")[0]]
    secrets += [row[0] for row in site.rows("SELECT token FROM oauth")]
    assert not [secret for secret in secrets if secret in text]
    assert "uma" not in text.lower()


@pytest.mark.parametrize(
    ("page", "act"), [("data", "download your data"), ("delete", "delete your account")]
)
def test_export_and_deletion_need_a_recent_sign_in(grace, site, page, act):
    """Flask-Security GHSA-97r5."""
    form = grace.get(f"/account/{page}")
    site.execute("UPDATE sessions SET authenticated_at = :at", at=LONG_AGO)
    asked = grace.get(f"/account/{page}")
    assert asked.heading == "Confirm it's you"
    assert f"You're about to {act}. Sign in again to continue." in asked.text
    answer = grace.fetch(
        f"/account/{page}", "POST", data={"csrf_token": form.csrf_token, "confirm": "DELETE"}
    )
    assert answer.status == 303
    assert answer.location.startswith("/account/reauth")
    assert grace.me()
    assert "Account data downloaded" not in grace.get("/account/activity").text
    assert grace.reauth(asked, "grace").path == f"/account/{page}"


# Deletion.


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_deleting_an_account_removes_its_rows_and_ends_its_sessions(make_site, database):
    site = make_site(database)
    grace, phone, other = site.browser(), site.browser(), site.browser()
    grace.sign_in("google", "grace")
    grace.link("github", "linus")
    save(grace, email=grace.identity("github"))
    phone.sign_in("google", "grace")
    phone.begin_link("facebook")
    other.sign_in("facebook", "ada")
    user_id = grace.user_id
    page = delete(grace)
    assert page.heading == "Your account has been deleted"
    for words in ("2 sign-in methods: Google, GitHub", "2 sessions", "4 lines of activity"):
        assert words in page.text
    assert re.search(r"Reference [2-9A-Z]{4}-[2-9A-Z]{4}", page.text)
    assert grace.me() is phone.me() is None
    assert other.me()
    with site.app.app_context():
        columns = {
            (table, column["name"])
            for table in inspect(db.engine).get_table_names()
            for column in inspect(db.engine).get_columns(table)
        }
    for table in sorted(table for table, column in columns if column == "user_id"):
        assert site.rows(f"SELECT count(*) FROM {table} WHERE user_id = :id", id=user_id) == [(0,)]
    assert site.user_count() == 1
    assert grace.sign_in("google", "grace").path == "/account"
    assert grace.user_id != user_id


def test_the_deletion_page_names_nothing_that_does_not_exist(grace):
    text = grace.get("/account/delete").text
    assert "This removes your profile, sign-in methods, sessions and activity." in text
    assert "app connections" not in text.lower()


@pytest.mark.parametrize("typed", ["", "delete", "DELETE!", "LÖSCHEN"])
def test_deleting_an_account_needs_the_exact_word(grace, typed):
    page = delete(grace, typed)
    assert (page.status, page.alert) == (400, "Your account wasn't deleted")
    assert page.title.startswith("Error: ")
    assert grace.me()
    assert "Delete account" in page.buttons


def test_deleting_an_account_needs_a_csrf_token(grace):
    assert grace.fetch("/account/delete", "POST", data={"confirm": "DELETE"}).status == 400
    assert grace.me()


def test_the_deletion_receipt_stays_until_somebody_signs_in(grace, other):
    page = delete(grace)
    assert page.path == "/account/deleted"
    assert grace.get("/account/deleted").text == page.text
    assert other.get("/account/deleted").path == "/login"
    grace.sign_in("google", "ada")
    assert grace.get("/account/deleted").path == "/account"


def test_the_deletion_receipt_shows_the_reference_in_the_log(grace, caplog):
    reference = re.search(r"Reference (\S{9})", delete(grace).text)
    (line,) = [one.msg for one in caplog.records if one.msg["event"] == "account_deleted"]
    assert reference
    assert line["ref"] == reference[1]


def test_an_open_flow_of_a_deleted_account_is_refused(grace, site):
    callback = grace.choose(grace.begin_link("google"), "uma")
    delete(grace)
    assert grace.get(callback).alert == "We couldn't match that sign-in"
    assert site.user_count() == 0


def test_the_page_says_since_when_an_address_is_not_shared(make_site, monkeypatch):
    site = make_site(look_alikes=("acme",), OIDC_ACME_TRUST_EMAIL="1")
    browser = site.browser()
    browser.sign_in("acme", "ada")
    (identity,) = browser.me()["identities"]
    path = f"/account/identities/{identity['id']}"
    assert "Not shared since" not in browser.get(path).text
    monkeypatch.setattr(site.simulator.acme, "about", lambda _code: {"name": "Ada"})
    browser.sign_in("acme", "ada")
    page = browser.get(path)
    assert "ada@gmail.com" in page.text
    assert "Not shared since" in page.text
