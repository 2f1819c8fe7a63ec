"""Signed messages with contents that no database and no clock can hold: each is refused or about
nobody, and never a fault of ours."""

import pytest

from tests.inbox import dialect_senders, senders, token_senders
from tests.inbox.token_senders import CAEP, RISC

# PostgreSQL refuses a null character, UTF-8 a lone surrogate, and floats end.
TEXTS = ["a\x00b", "\ud800", "x" * 300, "\u202e", " "]
NUMBERS = [10**400, -1, 1e308, float("inf"), True, "now", None, []]
PROVIDERS = ("facebook", "slack", "kakao", "zoom", "google", "acme", "github")


@pytest.fixture(scope="module")
def statuses() -> set[int]:
    """What a provider may be told."""
    return {200, 202, 204, 400, 401, 403}


@pytest.fixture
def site(make_site):
    site = make_site("postgresql", look_alikes=PROVIDERS, **dialect_senders.SETTINGS)
    site.restart(
        OIDC_ACME_SSF_CONFIGURATION_URL=f"{site.simulator.acme.url}/.well-known/ssf-configuration",
        OIDC_ACME_SSF_AUTHORIZATION=token_senders.AUTHORIZATION,
        REFUSALS_PER_MINUTE="1000",
    )
    return site


def test_no_text_is_a_fault_of_ours(site, statuses):
    for text in TEXTS:
        event = {"type": "tokens_revoked", "tokens": {"oauth": [text]}}
        slack = {"type": "event_callback", "team_id": text, "event_id": text, "event": event}
        zoom = {"event": "app_deauthorized", "payload": {"user_id": text, "client_id": text}}
        answers = [
            senders.facebook(site, "deauthorize", text),
            senders.facebook(site, "delete", text),
            dialect_senders.slack(site, slack),
            dialect_senders.slack(site, slack | {"team_id": "T1"}),
            dialect_senders.zoom(site, zoom),
            token_senders.google(site, f"{RISC}sessions-revoked", text),
            token_senders.google(site, f"{RISC}sessions-revoked", "1", claims={"jti": text}),
            token_senders.google(site, text, "1"),
            token_senders.logout(site, sub=text),
            token_senders.logout(site, sid=text),
            token_senders.logout(site, sub="user-ada", jti=text),
            token_senders.stream(site, f"{CAEP}session-revoked", sub_id={"format": text}),
            token_senders.stream(site, text),
        ]
        if "\ud800" not in text:  # a form cannot hold it
            answers.append(dialect_senders.kakao(site, user_id=text))
        assert {answer.status_code for answer in answers} <= statuses, ascii(text)


def test_no_number_is_a_fault_of_ours(site, statuses):
    for number in NUMBERS:
        zoom = {"event": "app_deauthorized", "event_ts": number}
        answers = [
            senders.facebook(site, "deauthorize", "1", issued_at=number),
            dialect_senders.slack(site, {"event_time": number}),
            dialect_senders.zoom(site, zoom),
            token_senders.google(site, f"{RISC}sessions-revoked", "1", claims={"iat": number}),
            token_senders.google(site, f"{RISC}sessions-revoked", "1", claims={"toe": number}),
            token_senders.logout(site, sub="user-ada", exp=number),
        ]
        assert {answer.status_code for answer in answers} <= statuses, number


def test_a_session_name_that_cannot_be_kept_is_none(site):
    """A sign-in goes on: only a sign-out by that name is lost."""
    for text in TEXTS:
        site.simulator.acme.told[("id_token", "ada")] = {"sid": text}
        browser = site.browser()
        assert browser.sign_in("acme", "ada").path == "/account", ascii(text)
        assert token_senders.logout(site, sub="user-ada").status_code == 200
        assert browser.me() is None
