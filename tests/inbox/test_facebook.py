"""Facebook's signed_request, in all that can be wrong with it."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from requests import Response

from inbox.dialects.facebook import open_signed_request
from inbox.notices import NoticeRefused
from tests.browser import Page
from tests.inbox import senders
from tests.site import Site

SECRET = "client_secret_shhhhhh!"
# Computed with Facebook's own description; the payload is of 2010.
VECTOR = (
    "w5ZbbWP9yOwBA1uJZbc7-9gZok0O42U4i0yyvxXE_jY.eyJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiIsImV4cGlyZXMi"
    "OjEyOTE4NDA0MDAsImlzc3VlZF9hdCI6MTI5MTgzNjgwMCwidXNlcl9pZCI6IjIxODQ3MSJ9"
)


def test_the_vector_is_taken():
    payload = open_signed_request(VECTOR, SECRET)
    assert (payload["user_id"], payload["issued_at"]) == ("218471", 1291836800)


@pytest.mark.parametrize("padding", ["", "="])
def test_both_forms_of_base64url_are_read(padding):
    signature, _, payload = VECTOR.partition(".")
    assert open_signed_request(f"{signature}{padding}.{payload}", SECRET)["user_id"] == "218471"


@pytest.mark.parametrize(
    "signed",
    [
        VECTOR.replace("w5", "w6"),
        VECTOR[:-1] + "A",
        VECTOR.replace(".", ".."),
        VECTOR.replace(".", ""),
        f"{VECTOR}.{VECTOR}",
        "!.!",
        "é.é",
        "",
        ".",
        "a" * 60_000 + ".b",
    ],
    ids=lambda signed: signed[:12],
)
def test_a_changed_one_is_refused(signed):
    with pytest.raises(NoticeRefused):
        open_signed_request(signed, SECRET)


@pytest.mark.parametrize("secret", ["", "client_secret_shhhhhh", SECRET + "!"])
def test_one_of_another_secret_is_refused(secret):
    with pytest.raises(NoticeRefused):
        open_signed_request(VECTOR, secret)


def test_the_signature_is_over_the_encoded_payload():
    document = b'{"algorithm":"HMAC-SHA256","user_id":"1"}'
    digest = hmac.new(SECRET.encode(), document, hashlib.sha256).digest()
    encoded = base64.urlsafe_b64encode(document).decode()
    with pytest.raises(NoticeRefused):
        open_signed_request(f"{senders.encode(digest)}.{encoded}", SECRET)


@pytest.mark.parametrize(
    ("algorithm", "is_taken"),
    [("HMAC-SHA256", True), ("hmac-sha256", True), ("none", False), ("HMAC-SHA1", False)],
)
def test_the_algorithm_is_the_one_that_is_used(algorithm, is_taken):
    signed = senders.signed_request(SECRET, {"algorithm": algorithm, "user_id": "1"})
    if is_taken:
        assert open_signed_request(signed, SECRET)["user_id"] == "1"
    else:
        with pytest.raises(NoticeRefused):
            open_signed_request(signed, SECRET)


@pytest.mark.parametrize(
    "payload",
    [
        [],
        "text",
        {"algorithm": "HMAC-SHA256"},
        {"algorithm": "HMAC-SHA256", "user_id": None},
        {"algorithm": "HMAC-SHA256", "user_id": "7" * 40_000},
        {"algorithm": "HMAC-SHA256", "user_id": {"a": [1]}},
        {"algorithm": "HMAC-SHA256", "user_id": True},
        {"algorithm": ["HMAC-SHA256"], "user_id": "1"},
    ],
    ids=lambda payload: json.dumps(payload)[:40],
)
def test_a_payload_of_another_shape_is_refused(site, payload):
    signed = senders.signed_request(senders.secret_of(site, "facebook"), payload)
    for act in ("deauthorize", "delete"):
        answer = senders.post(site, f"facebook/{act}", {"signed_request": signed})
        assert answer.status_code == 400
    assert site.rows("SELECT * FROM receipts") == []


def test_a_number_names_a_person_too(site, browser):
    browser.sign_in("facebook", "ada")
    (subject,) = site.rows("SELECT subject FROM oauth")[0]
    assert senders.facebook(site, "deauthorize", int(subject)).status_code == 200
    assert browser.me() is None


def test_a_deletion_is_answered_with_a_code_that_stays_the_same(site, browser):
    browser.sign_in("facebook", "ada")
    (subject,) = site.rows("SELECT subject FROM oauth")[0]
    at = datetime.now(UTC).timestamp()
    first, again = (senders.facebook(site, "delete", subject, at=at).json() for _ in range(2))
    assert set(first) == {"url", "confirmation_code"}
    assert first["confirmation_code"].isalnum()
    assert first["url"].startswith(f"{site.url}/inbox/deletion/")
    assert first == again
    assert len(site.rows("SELECT * FROM receipts")) == 1
    stranger = senders.facebook(site, "delete", "123123").json()
    assert set(stranger) == set(first)
    assert stranger["confirmation_code"] != first["confirmation_code"]


def status_page(site: Site, answer: Response) -> Page:
    page = site.browser().fetch(answer.json()["url"])
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert "Set-Cookie" not in page.headers
    return page


def test_the_page_of_a_deletion_says_how_far_it_is(site, browser):
    stranger = senders.facebook(site, "delete", "123123")
    assert status_page(site, stranger).heading == "We keep nothing about you"
    browser.sign_in("facebook", "ada")
    (subject,) = site.rows("SELECT subject FROM oauth")[0]
    planned = senders.facebook(site, "delete", subject)
    page = status_page(site, planned)
    assert page.heading == "Your data will be deleted"
    assert subject not in page.html
    assert "Ada" not in page.html
    question = browser.sign_in("facebook", "ada")
    assert question.heading == "Keep your account?"
    assert browser.me() is None
    browser.answer(question, "keep")
    assert browser.providers() == ["facebook"]
    assert status_page(site, planned).heading == "Your data was not deleted"
    assert site.user_count() == 1
    again = senders.facebook(site, "delete", subject, nonce="another")
    site.execute("DELETE FROM users")
    assert status_page(site, again).heading == "Your data was deleted"
    site.execute("UPDATE receipts SET received_at = '2020-01-01 00:00:00.000000'")
    assert site.browser().fetch(again.json()["url"]).status == 404
    for code in ("A" * 20, "a", "%00"):
        assert site.browser().fetch(f"/inbox/deletion/{code}").status == 404


def test_somebody_who_lets_the_account_go_is_not_signed_in(site, browser):
    browser.sign_in("facebook", "ada")
    (subject,) = site.rows("SELECT subject FROM oauth")[0]
    senders.facebook(site, "delete", subject)
    browser.answer(browser.sign_in("facebook", "ada"), "leave")
    assert browser.me() is None
    assert site.rows("SELECT count(*) FROM users WHERE delete_due_at IS NOT NULL") == [(1,)]


def test_other_ways_in_stay_when_one_is_deleted(site, browser):
    browser.sign_in("facebook", "ada")
    browser.link("github", "ada")
    (subject,) = site.rows("SELECT subject FROM oauth WHERE provider = 'facebook'")[0]
    answer = senders.facebook(site, "delete", subject)
    assert status_page(site, answer).heading == "Your data was deleted"
    browser.sign_in("github", "ada")
    assert browser.providers() == ["github"]


def test_a_site_that_keeps_orphans_removes_what_came_from_the_provider_only(make_site):
    site = make_site(INBOX_ORPHANS="keep")
    browser = site.browser()
    browser.sign_in("facebook", "ada")
    (subject,) = site.rows("SELECT subject FROM oauth")[0]
    answer = senders.facebook(site, "delete", subject)
    assert site.rows("SELECT delete_due_at FROM users") == [(None,)]
    assert site.rows("SELECT email, name FROM oauth JOIN users ON users.id = user_id") == [
        (None, None)
    ]
    assert status_page(site, answer).heading == "Your data was deleted"
    assert browser.me() is None
    browser.sign_in("facebook", "ada")
    assert browser.me()
    assert site.user_count() == 1
