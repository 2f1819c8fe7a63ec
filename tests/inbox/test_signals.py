"""Shared Signals by push, from any issuer."""

import pytest

from inbox import stream_states
from tests.browser import Browser
from tests.inbox import token_senders as senders
from tests.inbox.token_senders import CAEP, RISC, SSF
from tests.site import Site

STREAM = "stream-1"


@pytest.fixture
def site(make_site):
    site = make_site(look_alikes=("acme", "github"))
    site.restart(
        OIDC_ACME_SSF_CONFIGURATION_URL=f"{site.simulator.acme.url}/.well-known/ssf-configuration",
        OIDC_ACME_SSF_AUTHORIZATION=senders.AUTHORIZATION,
        OIDC_ACME_SSF_STREAM_ID=STREAM,
    )
    return site


def ada(site: Site) -> dict[str, str]:
    return {"format": "iss_sub", "iss": site.simulator.acme.url, "sub": "user-ada"}


def sign_in_with(site: Site, sid: str) -> Browser:
    site.simulator.acme.told[("id_token", "ada")] = {"sid": sid}
    browser = site.browser()
    browser.sign_in("acme", "ada")
    return browser


@pytest.mark.parametrize(
    ("uri", "event", "effect"),
    [
        (f"{CAEP}session-revoked", {}, "ended_sessions"),
        (f"{CAEP}credential-change", {"change_type": "revoke"}, "asked_again"),
        (f"{CAEP}credential-change", {"change_type": "create"}, "unknown"),
        (f"{CAEP}token-claims-change", {}, "unknown"),
        (f"{RISC}account-purged", {}, "deletion_planned"),
        (f"{RISC}account-disabled", {"reason": "hijacking"}, "suspended"),
        (f"{RISC}identifier-recycled", {}, "unverified"),
        (f"{RISC}credential-compromise", {}, "asked_again"),
    ],
)
def test_each_event_has_its_effect(site, uri, event, effect):
    sign_in_with(site, "one")
    answer = senders.stream(site, uri, sub_id=ada(site), event=event)
    assert (answer.status_code, answer.content) == (202, b"")
    assert site.rows("SELECT effect FROM receipts") == [(effect,)]


def test_a_complex_subject_names_one_session(site):
    first, second = sign_in_with(site, "one"), sign_in_with(site, "two")
    session = {"format": "opaque", "id": "one"}
    about = {"format": "complex", "user": ada(site), "session": session}
    assert senders.stream(site, f"{CAEP}session-revoked", sub_id=about).status_code == 202
    assert first.me() is None
    assert second.me()


@pytest.mark.parametrize("authorization", [None, "", "Bearer another", "é"])
def test_the_authorization_header_is_demanded(site, authorization):
    sent = authorization and authorization.encode().decode("latin-1")
    browser = sign_in_with(site, "one")
    answer = senders.stream(site, f"{CAEP}session-revoked", sub_id=ada(site), authorization=sent)
    assert (answer.status_code, answer.json()["err"]) == (401, "authentication_failed")
    assert browser.me()


@pytest.mark.parametrize(
    ("changes", "err"),
    [
        ({"claims": {"sub": "user-ada"}}, "invalid_request"),
        ({"claims": {"exp": 9_999_999_999}}, "invalid_request"),
        ({"header": {"typ": "JWT"}}, "invalid_request"),
        ({"header": {"typ": None}}, "invalid_request"),
        ({"claims": {"events": {}}}, "invalid_request"),
        ({"claims": {"events": {f"{RISC}a": {}, f"{RISC}b": {}}}}, "invalid_request"),
        ({"claims": {"iss": "https://another.example"}}, "invalid_issuer"),
        ({"claims": {"aud": "another"}}, "invalid_audience"),
    ],
)
def test_a_token_that_is_wrong_is_refused_by_name(site, changes, err):
    browser = sign_in_with(site, "one")
    answer = senders.stream(site, f"{CAEP}session-revoked", sub_id=ada(site), **changes)
    assert (answer.status_code, answer.json()["err"]) == (400, err)
    assert browser.me()


def test_a_verification_returns_our_state(site):
    about = {"format": "opaque", "id": STREAM}
    with site.app.test_request_context():
        state = stream_states.make("acme")
        others = stream_states.make("globex")
    uri = f"{SSF}verification"
    assert senders.stream(site, uri, sub_id=about, event={"state": state}).status_code == 202
    assert senders.stream(site, uri, sub_id=about).status_code == 202
    for wrong in (others, "1.2", "x", 1, state[:-1]):
        answer = senders.stream(site, uri, sub_id=about, event={"state": wrong})
        assert (answer.status_code, answer.json()["err"]) == (400, "invalid_state")
    another = senders.stream(site, uri, sub_id=about | {"id": "x"}, event={"state": state})
    assert another.status_code == 400


def test_a_stream_that_stops_is_told_to_the_operator(site, caplog):
    uri = f"{SSF}stream-updated"
    assert senders.stream(site, uri, event={"status": "paused"}).status_code == 202
    assert "notices_ended" in caplog.text


def test_without_a_transmitter_there_is_no_route(make_site):
    site = make_site(look_alikes=("acme", "github"))
    assert senders.stream(site, f"{CAEP}session-revoked").status_code == 404
