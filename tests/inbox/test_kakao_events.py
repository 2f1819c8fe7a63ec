"""Kakao's account status webhook."""

import pytest

from tests.inbox import token_senders as senders
from tests.inbox.token_senders import OAUTH, RISC


@pytest.fixture
def site(make_site):
    return make_site(look_alikes=("kakao", "github"))


@pytest.mark.parametrize(
    ("uri", "event", "effect"),
    [
        (f"{OAUTH}user-linked", {}, "unknown"),
        (f"{OAUTH}user-scope-consent", {}, "unknown"),
        (f"{OAUTH}user-unlinked", {"reason": "UNLINK_FROM_APPS"}, "ended_grant"),
        (f"{OAUTH}user-unlinked", {"reason": "ACCOUNT_DELETE"}, "deletion_planned"),
        (f"{OAUTH}tokens-revoked", {}, "ended_grant"),
        (f"{RISC}account-disabled", {}, "suspended"),
    ],
)
def test_each_event_has_its_effect(site, browser, uri, event, effect):
    browser.sign_in("kakao", "ada")
    (subject,) = site.rows("SELECT subject FROM oauth")[0]
    answer = senders.kakao(site, uri, subject, event=event)
    assert (answer.status_code, answer.content) == (202, b"")
    assert site.rows("SELECT effect FROM receipts") == [(effect,)]
    assert (browser.me() is not None) == (effect == "unknown")


@pytest.mark.parametrize(
    ("changes", "err"),
    [
        ({"header": {"typ": "JWT"}}, "invalid_request"),
        ({"header": {"typ": None}}, "invalid_request"),
        ({"claims": {"aud": "another"}}, "invalid_audience"),
        ({"claims": {"iss": "https://kauth.kakao.com/"}}, "invalid_issuer"),
        ({"claims": {"exp": 1_700_000_000}}, "invalid_request"),
    ],
)
def test_a_token_of_another_kind_is_refused(site, changes, err):
    answer = senders.kakao(site, f"{OAUTH}user-unlinked", "1", **changes)
    assert (answer.status_code, answer.json()["err"]) == (400, err)
