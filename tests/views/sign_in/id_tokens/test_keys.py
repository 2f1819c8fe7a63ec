"""Firebase's keys: both forms, their lifetime; and a comparison with Google's own library."""

import json
import time
from typing import Any

import pytest
import requests
from google.auth import exceptions
from google.auth.transport.requests import Request
from google.oauth2 import id_token

from errors import IdTokenRefused, ProviderError
from providers.http.cache import COOL_DOWN_SECONDS, LIFETIME_SECONDS, RETRY_SECONDS
from providers.http.responses import fresh_seconds
from providers.protocols.firebase import KEYS_MAX_SECONDS, KEYS_MIN_SECONDS, Firebase, read_keys
from simulator.firebase import PROJECT_ID, SPOILT_FIREBASE
from simulator.firebase import Firebase as LookAlike
from simulator.signing import SPOILT_CLAIMS, SPOILT_TOKENS

# Flaws that Google's library leaves to its caller; Firebase's rules demand the check.
LEFT_TO_US = {"long_sub", "sub_of_129"}
LEFT_TO_US |= {"auth_time_to_come", "auth_time_as_text", "no_auth_time", "no_firebase", "no_way"}
LEFT_TO_US |= {"firebase_as_list", "anonymous", "a_tenant", "no_identity", "two_identities"}
LEFT_TO_US |= {"identity_as_object", "identity_empty", "identity_blank"}
LEFT_TO_US |= {"valid_later", "nbf_as_text"}
# Python's JSON reader accepts these, and so does Google's library.
LEFT_TO_US |= {"twice", "infinity", "nan", "too_large"}
# Claims of web flows, which neither reads in these tokens.
OF_A_FLOW = {"other_azp", "other_nonce", "nonce_as_list", "no_nonce", "other_at_hash"}
FLAWS = sorted({*SPOILT_CLAIMS, *SPOILT_TOKENS, *SPOILT_FIREBASE} - OF_A_FLOW - {"missing"})


@pytest.fixture(params=["jwk", "x509"])
def form(request) -> str:
    return str(request.param)


@pytest.fixture
def site(make_site, form):
    site = make_site()
    site.restart(FIREBASE_JWKS_URL=f"{site.simulator.url}/firebase/{form}")
    return site


@pytest.fixture
def firebase(site):
    return site.simulator.firebase


def reads(firebase: LookAlike) -> int:
    return firebase.seen.count("keys")


def test_keys_may_come_as_a_jwk_set_or_as_certificates(browser, firebase):
    assert browser.bring(firebase.mint("grace")).status == 200
    assert browser.bring(firebase.mint("grace", flaw="other_key_same_kid")).status == 401


def test_firebase_keys_are_read_on_first_use_and_once(site, firebase):
    assert reads(firebase) == 0
    for _ in range(3):
        site.browser().bring(firebase.mint("grace"))
    assert reads(firebase) == 1


def test_a_new_firebase_key_is_found_and_made_up_key_ids_cause_no_flood(browser, firebase, clock):
    browser.bring(firebase.mint("grace"))
    clock.later(COOL_DOWN_SECONDS)
    firebase.rotate()
    assert browser.bring(firebase.mint("grace")).status == 200
    assert reads(firebase) == 2
    for _ in range(3):
        assert browser.bring(firebase.mint("grace", flaw="unknown_kid")).status == 401
    assert reads(firebase) == 2


@pytest.mark.parametrize("answer", ["hang_up", "html", "status_503", "empty_object"])
def test_old_firebase_keys_are_used_while_new_ones_cannot_be_read(browser, firebase, clock, answer):
    browser.bring(firebase.mint("grace"))
    firebase.keys_answer = answer
    clock.later(KEYS_MAX_SECONDS)
    assert browser.bring(firebase.mint("grace")).status == 200
    tries = reads(firebase)
    assert browser.bring(firebase.mint("grace")).status == 200
    assert reads(firebase) == tries
    firebase.keys_answer = ""
    clock.later(RETRY_SECONDS)
    assert browser.bring(firebase.mint("grace")).status == 200
    assert reads(firebase) == tries + 1


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("public, max-age=19302, must-revalidate", 19302),
        ("max-age=1", KEYS_MIN_SECONDS),
        ("no-store", KEYS_MIN_SECONDS),
        ("max-age=999999999", KEYS_MAX_SECONDS),
        (None, LIFETIME_SECONDS),
        ("public", LIFETIME_SECONDS),
    ],
)
def test_firebase_keys_are_kept_as_long_as_their_headers_say_within_bounds(
    browser, firebase, clock, said, seconds
):
    firebase.cache_control = said
    browser.bring(firebase.mint("grace"))
    clock.later(seconds - 5)
    browser.bring(firebase.mint("grace"))
    assert reads(firebase) == 1
    clock.later(10)
    browser.bring(firebase.mint("grace"))
    assert reads(firebase) == 2


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Cache-Control": "max-age=100"}, 100),
        ({"Cache-Control": "PUBLIC, Max-Age=100", "Age": "40"}, 60),
        ({"Cache-Control": "max-age=100", "Age": "400"}, 0),
        ({"Cache-Control": 'max-age="100"', "Age": "-5"}, 100),
        ({"Cache-Control": "max-age=100, no-store"}, 0),
        ({"Cache-Control": "no-cache, max-age=100"}, 0),
        *(({"Cache-Control": f"max-age={odd}"}, None) for odd in ("", "-1", "1e9", "²", "9" * 10)),
        ({"Cache-Control": "s-maxage=100"}, None),
        ({}, None),
    ],
    ids=str,
)
def test_cache_headers_state_how_long_a_response_stays_fresh(headers, seconds):
    assert fresh_seconds(headers) == seconds


@pytest.mark.parametrize(
    "answer",
    [
        *(None, [], {}, "text", 5, {"keys": []}, {"keys": [None]}, {"kid": "no PEM"}, {"kid": 5}),
        {"kid": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
        {"error": {"code": 500}},
    ],
    ids=str,
)
def test_a_response_without_keys_is_the_issuers_fault(answer):
    with pytest.raises(ProviderError) as caught:
        read_keys(answer, None)
    assert not isinstance(caught.value, IdTokenRefused)


# Google's own library.


class AtTheLookAlike:
    """The transport of Google's library, directed to the fake provider's certificates."""

    def __init__(self, firebase: LookAlike) -> None:
        self._body = json.dumps(firebase.certificates()).encode()

    def __call__(self, *_args: Any, **_kwargs: Any) -> Any:
        class Answer:
            status, data = 200, self._body

        return Answer()


def google_takes(token: str, firebase: LookAlike) -> bool:
    """Whether google.oauth2.id_token.verify_firebase_token accepts a token."""
    try:
        id_token.verify_firebase_token(token, AtTheLookAlike(firebase), PROJECT_ID, 60)  # type: ignore[no-untyped-call]
    except (ValueError, TypeError, exceptions.GoogleAuthError):
        return False
    return True


def test_every_token_that_googles_library_refuses_is_refused():
    """The flaws that it leaves to its caller are refused here too."""
    look_alike = LookAlike()
    ours = Firebase(PROJECT_ID, lambda _url: (look_alike.jwk_set(), None), identity_issuers={})

    def we_take(token: str) -> bool:
        try:
            ours.check(token)
        except IdTokenRefused:
            return False
        return True

    now = int(time.time())
    good = [look_alike.mint("grace", way) for way in ("google.com", "password", "phone", "custom")]
    good += [look_alike.mint("grace", exp=now - 50), look_alike.mint("grace", iat=now + 50)]
    for token in good:
        assert google_takes(token, look_alike)
        assert we_take(token)
    late = [look_alike.mint("grace", exp=now - 70), look_alike.mint("grace", iat=now + 70)]
    for token in late:
        assert not google_takes(token, look_alike)
        assert not we_take(token)
    verdicts = {
        flaw: google_takes(look_alike.mint("grace", flaw=flaw), look_alike) for flaw in FLAWS
    }
    assert {flaw for flaw, taken in verdicts.items() if taken} == LEFT_TO_US
    ids = {"no_identity", "two_identities", "identity_as_object", "identity_empty"}
    ids |= {"identity_blank"}
    passed = {flaw for flaw in FLAWS if we_take(look_alike.mint("grace", flaw=flaw))}
    assert passed == ids, "which identity it is, is asked after the checks (test_refusals.py)"


def test_googles_library_accepts_the_fake_providers_tokens_over_http(monkeypatch, site, firebase):
    """The library's own transport reads the fake provider's certificates."""
    where = f"{site.simulator.url}/firebase/x509"
    monkeypatch.setattr(id_token, "_GOOGLE_APIS_CERTS_URL", where)
    token = firebase.mint("grace")
    claims = id_token.verify_firebase_token(token, Request(requests.Session()), PROJECT_ID)  # type: ignore[no-untyped-call]
    assert claims["sub"] == firebase.claims_of(token)["sub"]
