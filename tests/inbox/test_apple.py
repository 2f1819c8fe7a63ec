"""Apple's server-to-server notifications."""

import pytest

from tests.inbox import token_senders as senders
from tests.inbox.senders import post
from tests.site import Site


@pytest.fixture
def site(make_site):
    return make_site(
        look_alikes=("apple", "github"),
        APPLE_NOTIFICATION_AUDIENCES="com.example.primary",
        APPLE_MOBILE_CLIENT_IDS="com.example.app",
    )


def subject_of(site: Site) -> str:
    return str(site.rows("SELECT subject FROM oauth WHERE provider = 'apple'")[0][0])


@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize(
    ("kind", "effect"),
    [
        ("email-disabled", "undeliverable"),
        ("email-enabled", "deliverable"),
        ("consent-revoked", "ended_grant"),
        ("account-delete", "deletion_planned"),
        ("account-deleted", "deletion_planned"),
        ("something-new", "unknown"),
    ],
)
def test_each_event_has_its_effect(site, browser, kind, effect, as_text):
    browser.sign_in("apple", "ada")
    answer = senders.apple(site, kind, subject_of(site), as_text=as_text)
    assert answer.status_code == 200
    assert site.rows("SELECT effect FROM receipts") == [(effect,)]


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"aud": "com.example.primary"}, 200),
        ({"aud": "com.example.app"}, 200),
        ({"aud": "com.example.stranger"}, 400),
        ({"exp": 1_700_000_000}, 400),
        ({"exp": None}, 200),
        ({"iss": "https://appleid.apple.com/"}, 400),
        ({"events": "no json"}, 400),
        ({"events": "[]"}, 400),
        ({"jti": None}, 400),
    ],
)
def test_whose_notifications_are_taken(site, browser, claims, status):
    browser.sign_in("apple", "ada")
    answer = senders.apple(site, "consent-revoked", subject_of(site), claims=claims)
    assert answer.status_code == status
    assert (browser.me() is None) == (status == 200)


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b'{"payload": 1}', b"x", b"\xff", b'{"payload": "\xc3\xa9"}']
)
def test_a_body_of_another_shape_is_refused(site, body):
    answer = post(site, "apple", body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_a_new_key_is_fetched_once(site, browser):
    browser.sign_in("apple", "ada")
    fake = site.simulator.apple
    assert senders.apple(site, "email-enabled", subject_of(site)).status_code == 200
    before = fake.seen.count("certs")
    fake.rotate()
    answer = senders.apple(site, "consent-revoked", subject_of(site))
    assert answer.status_code == 400, "it was fetched within the last minute"
    assert fake.seen.count("certs") == before
