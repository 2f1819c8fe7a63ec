"""Back-channel logout by an upstream issuer (OpenID Connect Back-Channel Logout 1.0)."""

import time

import pytest

from tests.browser import Browser
from tests.inbox import token_senders as senders
from tests.inbox.senders import post
from tests.inbox.token_senders import LOGOUT
from tests.site import Site


@pytest.fixture
def site(make_site):
    return make_site(look_alikes=("acme", "github"))


def sign_in_with(site: Site, sid: str, person: str = "ada") -> Browser:
    """A browser whose session the issuer calls ``sid``."""
    site.simulator.acme.told[("id_token", person)] = {"sid": sid}
    browser = site.browser()
    browser.sign_in("acme", person)
    return browser


def test_a_session_ends_by_its_sid_and_no_other(site):
    first, second = sign_in_with(site, "one"), sign_in_with(site, "two")
    assert senders.logout(site, sid="one").status_code == 200
    assert first.me() is None
    assert second.me()
    answer = senders.logout(site, sub="user-ada")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert second.me() is None


def test_both_names_end_the_one_session(site):
    first, second = sign_in_with(site, "one"), sign_in_with(site, "two")
    assert senders.logout(site, sid="one", sub="user-ada").status_code == 200
    assert first.me() is None
    assert second.me()


def test_the_same_bytes_again_do_nothing_and_another_token_of_that_jti_is_refused(site):
    sign_in_with(site, "one")
    token = senders.logout_token(site, sub="user-ada", jti="1")
    assert senders.logout(site, token=token).status_code == 200
    later = sign_in_with(site, "two")
    assert senders.logout(site, token=token).status_code == 200
    assert later.me()
    assert senders.logout(site, sub="user-ada", jti="1", age=5).status_code == 400
    assert later.me()


@pytest.mark.parametrize(
    "claims",
    [
        {"header": {"typ": "at+jwt"}},
        {"header": {"typ": "secevent+jwt"}},
        {"iss": "https://issuer.example"},
        {"aud": "another"},
        {"iat": 9_999_999_999},
        {"age": 700, "exp": 9_999_999_999},
        {"age": -120},
        {"iat": None},
        {"exp": 1_700_000_000},
        {"jti": None},
        {"events": None},
        {"events": [LOGOUT]},
        {"events": {}},
        {"events": {LOGOUT: "x"}},
        {"nonce": "n"},
        {"sub": None},
        {"sid": "two", "sub": "user-ada"},
    ],
    ids=str,
)
def test_a_token_that_is_wrong_ends_nothing(site, claims):
    ada, grace = sign_in_with(site, "one"), sign_in_with(site, "two", "grace")
    answer = senders.logout(site, **{"sub": "user-ada"} | claims)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert answer.headers["Cache-Control"] == "no-store"
    assert ada.me()
    assert grace.me()


@pytest.mark.parametrize("flaw", ["alg_none", "hs256_with_public_key", "other_key_same_kid"])
def test_a_token_of_another_key_ends_nothing(site, flaw):
    ada = sign_in_with(site, "one")
    now = int(time.time())
    fake = site.simulator.acme
    claims = {"iss": fake.url, "aud": fake.client.client_id, "iat": now, "jti": "1"}
    token = fake.spoil(flaw, claims | {"events": {LOGOUT: {}}, "sub": "user-ada"})
    assert senders.logout(site, token=token).status_code == 400
    assert ada.me()


def test_other_tokens_and_other_requests_are_refused(site):
    ada = sign_in_with(site, "one")
    fake = site.simulator.acme
    assert post(site, "acme/logout", method="GET").status_code == 405
    json = {"Content-Type": "application/json"}
    assert post(site, "acme/logout", b"{}", headers=json).status_code == 415
    assert post(site, "acme/logout", {"logout_token": ""}).status_code == 400
    good = senders.logout_token(site, sub="user-ada")
    twice = [("logout_token", good), ("logout_token", good)]
    assert post(site, "acme/logout", twice).status_code == 400
    now = int(time.time())
    claims = {"iss": fake.url, "aud": fake.client.client_id, "sub": "user-ada", "iat": now}
    id_token = fake.sign(claims | {"exp": now + 300, "nonce": "n"})
    assert senders.logout(site, token=id_token).status_code == 400
    assert ada.me()


def test_a_token_without_offline_access_goes_with_the_session(site):
    sign_in_with(site, "one")
    assert senders.logout(site, sub="user-ada").status_code == 200
    assert site.rows("SELECT token FROM oauth") == [(None,)]
