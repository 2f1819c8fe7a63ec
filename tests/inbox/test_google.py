"""Google's Cross-Account Protection: each event, and what is no event for us."""

import base64
import hashlib
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.inbox import token_senders as senders
from tests.inbox.token_senders import OAUTH, RISC
from tests.site import Site

MOBILE = "app.apps.googleusercontent.com"


@pytest.fixture
def site(make_site):
    return make_site(GOOGLE_MOBILE_CLIENT_IDS=MOBILE, GOOGLE_OFFLINE_ACCESS="1")


def subject_of(site: Site) -> str:
    return str(site.rows("SELECT subject FROM oauth WHERE provider = 'google'")[0][0])


@pytest.mark.parametrize(
    ("uri", "effect"),
    [
        (f"{RISC}sessions-revoked", "ended_sessions"),
        (f"{OAUTH}tokens-revoked", "ended_grant"),
        (f"{RISC}account-disabled", "suspended"),
        (f"{RISC}account-enabled", "lifted"),
        (f"{RISC}account-credential-change-required", "asked_again"),
        (f"{RISC}verification", "ping"),
        (f"{RISC}tokens-revoked", "unknown"),
        ("https://example.org/event", "unknown"),
    ],
)
def test_each_event_has_its_effect(site, browser, uri, effect):
    browser.sign_in("google", "ada")
    answer = senders.google(site, uri, subject_of(site), event={"state": "a state"})
    assert (answer.status_code, answer.content) == (202, b"")
    assert "Set-Cookie" not in answer.headers
    assert site.rows("SELECT effect FROM receipts") == [(effect,)]
    is_signed_in = effect in ("lifted", "asked_again", "ping", "unknown")
    assert (browser.me() is not None) == is_signed_in


def test_a_hijacking_ends_all_sessions_and_holds_the_account(site, browser, other):
    browser.sign_in("google", "ada")
    browser.link("github", "ada")
    other.sign_in("github", "ada")
    hijacked = {"reason": "hijacking"}
    answer = senders.google(site, f"{RISC}account-disabled", subject_of(site), event=hijacked)
    assert answer.status_code == 202
    assert browser.me() is other.me() is None
    assert site.rows("SELECT held_reason FROM users") == [("hijacked",)]


def test_what_a_change_of_credentials_asks_for(site, browser):
    browser.sign_in("google", "ada")
    uri = f"{RISC}account-credential-change-required"
    senders.google(site, uri, subject_of(site))
    assert browser.post("/account/link/github").heading == "Confirm it's you"


@pytest.mark.parametrize(
    ("changes", "err"),
    [
        ({"claims": {"iss": "https://accounts.google.com"}}, "invalid_issuer"),
        ({"claims": {"iss": None}}, "invalid_issuer"),
        ({"claims": {"aud": "another.apps.googleusercontent.com"}}, "invalid_audience"),
        ({"claims": {"aud": None}}, "invalid_audience"),
        ({"claims": {"jti": None}}, "invalid_request"),
        ({"claims": {"iat": None}}, "invalid_request"),
        ({"claims": {"iat": "now"}}, "invalid_request"),
        ({"claims": {"iat": 9_999_999_999}}, "invalid_request"),
        ({"claims": {"events": None}}, "invalid_request"),
        ({"claims": {"events": []}}, "invalid_request"),
        ({"claims": {"nonce": "n", "sub": "1"}}, "invalid_request"),
        ({"token": "no token"}, "invalid_request"),
        ({"token": "a.b.c"}, "invalid_request"),
        ({"token": "x" * 60_000}, "invalid_request"),
    ],
)
def test_a_token_that_does_not_prove_itself_is_refused(site, browser, changes, err):
    browser.sign_in("google", "ada")
    answer = senders.google(site, f"{RISC}sessions-revoked", subject_of(site), **changes)
    assert (answer.status_code, answer.json()["err"]) == (400, err)
    assert site.rows("SELECT * FROM receipts") == []
    assert browser.me()


@pytest.mark.parametrize(
    "flaw", ["alg_none", "hs256_with_public_key", "other_key_same_kid", "unknown_kid", "jku"]
)
def test_a_token_that_another_signed_is_refused(site, flaw):
    fake = site.simulator.google
    claims = {"iss": fake.events_issuer, "aud": fake.client.client_id, "events": {}, "iat": 1}
    token = fake.spoil(flaw, claims | {"jti": "1"})
    answer = senders.google(site, RISC, "1", token=token)
    assert (answer.status_code, answer.json()["err"]) == (400, "invalid_key")


def test_what_is_taken_although_it_looks_odd(site, browser):
    browser.sign_in("google", "ada")
    for changes in ({"exp": 1}, {"aud": MOBILE}, {"aud": ["another", MOBILE]}):
        answer = senders.google(
            site, f"{RISC}account-enabled", subject_of(site), claims={"jti": str(changes)} | changes
        )
        assert answer.status_code == 202


def test_an_id_token_is_no_event_and_an_event_is_no_id_token(site, browser):
    token = site.simulator.google.native_token("ada")
    assert senders.google(site, RISC, "1", token=token).status_code == 400
    fake = site.simulator.google
    now = int(time.time())
    event = fake.sign(
        {
            "iss": fake.events_issuer,
            "aud": fake.client.client_id,
            "iat": now,
            "jti": "1",
            "events": {f"{RISC}verification": {"state": "s"}},
        }
    )
    assert browser.bring(event).status == 401
    bearer = {"Authorization": f"Bearer {event}"}
    assert browser.fetch("/api/v1/me", headers=bearer).status == 401


def double_hash(token: str) -> str:
    inner = hashlib.sha512(token.encode()).digest()
    return base64.b64encode(hashlib.sha512(inner).digest()).decode()


def revoked(site: Site, algorithm: str, value: str) -> None:
    about = {
        "subject_type": "oauth_token",
        "token_type": "refresh_token",
        "token_identifier_alg": algorithm,
        "token": value,
    }
    assert senders.google(site, f"{OAUTH}token-revoked", about).status_code == 202


@pytest.mark.parametrize("algorithm", ["prefix", "hash_base64_sha512_sha512"])
def test_a_revoked_token_ends_the_one_grant_that_it_names(make_site, algorithm):
    site = make_site(GOOGLE_OFFLINE_ACCESS="1")
    browser = site.browser()
    browser.sign_in("google", "ada")
    browser.link("google", "grace")
    tokens = {
        code.person.key: token for token, code in site.simulator.google.refresh_tokens.items()
    }
    assert set(tokens) == {"ada", "grace"}

    def named(token: str) -> str:
        return token[:16] if algorithm == "prefix" else double_hash(token)

    ended = "SELECT subject FROM oauth WHERE grant_ended_at IS NOT NULL"
    revoked(site, algorithm, named("1//a stranger's token of Google"))
    revoked(site, "another", named(tokens["ada"]))
    assert site.rows(ended) == []
    revoked(site, algorithm, named(tokens["ada"]))
    subjects = dict(site.rows("SELECT subject, token FROM oauth"))
    assert len([token for token in subjects.values() if token is None]) == 1
    assert len(site.rows(ended)) == 1
    assert browser.me(), "a revoked token says nothing of sessions"


def test_a_notice_that_comes_late_changes_nothing_of_a_newer_consent(site, browser):
    browser.sign_in("google", "ada")
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).timestamp()
    senders.google(site, f"{OAUTH}tokens-revoked", subject_of(site), claims={"iat": int(hour_ago)})
    assert site.rows("SELECT effect FROM receipts") == [("stale",)]
    assert browser.me()


def test_keys_that_are_known_work_while_google_is_away(site, browser):
    browser.sign_in("google", "ada")
    assert senders.google(site, f"{RISC}account-enabled", subject_of(site)).status_code == 202
    fake = site.simulator.google
    fake.certs_answer = "html"
    assert senders.google(site, f"{RISC}sessions-revoked", subject_of(site)).status_code == 202
    assert browser.me() is None


def test_without_any_key_google_is_asked_to_send_it_again(site):
    fake = site.simulator.google
    fake.certs_answer = "html"
    answer = senders.google(site, f"{RISC}sessions-revoked", "1")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert site.rows("SELECT * FROM receipts") == []


def test_made_up_keys_make_one_fetch_a_minute(site):
    fake = site.simulator.google
    assert senders.google(site, f"{RISC}verification", "1").status_code == 202
    before = fake.seen.count("certs")
    for _ in range(20):
        claims = {"iss": fake.events_issuer, "aud": fake.client.client_id, "events": {}, "iat": 1}
        token = fake.spoil("unknown_kid", claims | {"jti": "1"})
        assert senders.google(site, RISC, "1", token=token).status_code == 400
    assert fake.seen.count("certs") - before <= 1
