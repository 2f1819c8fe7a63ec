"""GitHub App's webhook."""

import pytest

from inbox.signatures import is_hmac
from tests.inbox import senders

REVOKED = {"action": "revoked", "sender": {"id": 583231, "login": "octocat"}}


@pytest.fixture
def site(make_site):
    return make_site(GITHUB_WEBHOOK_SECRET=senders.GITHUB_SECRET)


def test_the_vector_is_taken():
    """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries"""
    secret, body = "It's a Secret to Everybody", b"Hello, World!"
    digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert is_hmac(secret, body, digest)
    assert not is_hmac(secret, body + b"!", digest)
    assert not is_hmac(secret + "!", body, digest)
    assert not is_hmac(secret, body, digest.replace("7", "8", 1))


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        ({"secret": "another"}, 401),
        ({"X-Hub-Signature-256": ""}, 401),
        ({"X-Hub-Signature-256": "sha256=é"}, 401),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"X-GitHub-Event": "ping"}, 200),
        ({"X-GitHub-Event": "push"}, 200),
    ],
)
def test_a_webhook_counts_only_if_it_is_signed(site, changes, status):
    changes = {name: value.encode() if name[0] == "X" else value for name, value in changes.items()}
    assert senders.github(site, REVOKED, **changes).status_code == status


def test_a_person_who_took_the_permission_back_is_signed_out(site, browser):
    browser.sign_in("github", "ada")
    (subject,) = site.rows("SELECT subject FROM oauth")[0]
    told = {"action": "revoked", "sender": {"id": int(subject), "login": "ada"}}
    assert senders.github(site, told, **{"X-GitHub-Event": "push"}).status_code == 200
    assert browser.me(), "another event says nothing about people"
    assert senders.github(site, told, **{"X-GitHub-Delivery": "another"}).status_code == 200
    assert browser.me() is None
    assert site.rows("SELECT token FROM oauth WHERE grant_ended_at IS NOT NULL") == [(None,)]
    browser.sign_in("github", "ada")
    assert "You took GitHub's permission back" in browser.get("/account").text
    assert site.user_count() == 1
