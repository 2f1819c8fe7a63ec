"""The claims of an id_token: issuer, audience, times, and the binding to its flow."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errors import ProviderError
from keys.jwk_set import ALGORITHMS
from providers import PROVIDERS
from providers.parts import OpenIDConnect
from providers.protocols.upstream_issuer import UpstreamIssuer
from tests.providers.protocols.id_tokens import (
    CLIENT_ID,
    ISSUER,
    JSON_VALUES,
    NONCE,
    Signer,
    assert_not_believed,
    check,
    good_claims,
    issuer_with,
    key,
    public,
    segment,
    sign,
)


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in good_claims().items() if key != name}


def google_with(key_set: Any) -> UpstreamIssuer:
    google = PROVIDERS["google"].protocol
    assert isinstance(google, OpenIDConnect)
    return issuer_with(key_set, google.issuer, google.issuer_aliases)


@pytest.mark.parametrize("iss", ["https://accounts.google.com", "accounts.google.com"])
def test_both_documented_forms_of_googles_issuer_are_accepted(iss):
    """allauth accepts only the first."""
    issuer = google_with(public(key("RSA")))
    assert check(issuer, sign(good_claims(iss=iss)))["iss"] == iss


@pytest.mark.parametrize(
    "iss",
    [
        *("http://accounts.google.com", "https://accounts.google.com/", "ACCOUNTS.GOOGLE.COM"),
        *("https://accounts.google.com.evil.example", "accounts.google.com\0", "", None, 5, True),
        *(["https://accounts.google.com"], {"https://accounts.google.com": 1}, [], {}, "\ud800"),
    ],
    ids=ascii,
)
def test_any_other_form_of_googles_issuer_is_refused(iss):
    issuer = google_with(public(key("RSA")))
    with pytest.raises(ProviderError):
        check(issuer, sign(good_claims(iss=iss)))


def test_no_other_issuer_has_an_alias():
    issuer = issuer_with(public(key("RSA")))
    for iss in ("issuer.example", ISSUER + "/", "accounts.google.com"):
        with pytest.raises(ProviderError):
            check(issuer, sign(good_claims(iss=iss)))


@pytest.mark.parametrize(
    ("changes", "good"),
    [
        ({"aud": [CLIENT_ID]}, True),
        ({"aud": [CLIENT_ID], "azp": CLIENT_ID}, True),
        ({"aud": CLIENT_ID, "azp": CLIENT_ID}, True),
        ({"aud": [CLIENT_ID, "other"], "azp": CLIENT_ID}, True),
        ({"aud": [CLIENT_ID, "other"]}, True),
        ({"aud": ["other", CLIENT_ID]}, True),
        ({"aud": ["other", "third"]}, False),
        ({"aud": [CLIENT_ID, "other"], "azp": None}, False),
        ({"aud": [CLIENT_ID, "other"], "azp": "other"}, False),
        ({"aud": CLIENT_ID, "azp": "other"}, False),
        ({"aud": CLIENT_ID, "azp": None}, False),
        ({"aud": CLIENT_ID, "azp": [CLIENT_ID]}, False),
        ({"aud": "other", "azp": CLIENT_ID}, False),
        ({"aud": ["other"], "azp": CLIENT_ID}, False),
        ({"aud": []}, False),
        ({"aud": None}, False),
        ({"aud": {CLIENT_ID: 1}}, False),
        ({"aud": [[CLIENT_ID]]}, False),
        ({"aud": f"{CLIENT_ID} other"}, False),
        ({"aud": CLIENT_ID.upper()}, False),
    ],
    ids=str,
)
def test_the_audience_must_be_this_client(changes, good):
    """OpenID Connect Core 3.1.3.7, 3 to 5."""
    token = sign(good_claims(**changes))
    if good:
        assert check(issuer_with(public(key("RSA"))), token)
    else:
        assert_not_believed(token)


@pytest.mark.parametrize(
    ("name", "seconds", "good"),
    [
        *(("exp", 300, True), ("exp", -30, True), ("exp", -90, False), ("exp", 300.5, True)),
        *(("iat", -3600, True), ("iat", 30, True), ("iat", 90, False), ("iat", -0.5, True)),
        *(("nbf", -3600, True), ("nbf", 30, True), ("nbf", 90, False), ("nbf", 1e15, False)),
    ],
)
def test_clocks_may_differ_by_a_minute(name, seconds, good):
    token = sign(good_claims(**{name: time.time() + seconds}))
    if good:
        assert check(issuer_with(public(key("RSA"))), token)
    else:
        assert_not_believed(token)


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize(
    "odd", [None, True, False, "1795200000", [], {}, float("nan"), float("inf")]
)
def test_a_time_claim_must_be_a_number(name, odd):
    assert_not_believed(sign(good_claims(**{name: odd})))


@pytest.mark.parametrize("name", ["sub", "nonce", "at_hash"])
@pytest.mark.parametrize("odd", [None, "", True, 1, ["1"], {"1": 1}, "of-another-flow\0", "\ud800"])
def test_nonce_at_hash_and_subject_must_be_text(name, odd):
    if (name, odd) in (("sub", "of-another-flow\0"), ("sub", "\ud800")):
        return  # these are text; the profile decides whether they may be a subject
    assert_not_believed(sign(good_claims(**{name: odd})))


@pytest.mark.parametrize("name", ["iss", "aud", "exp", "iat", "sub", "nonce"])
def test_every_required_claim_must_be_present(name):
    assert_not_believed(sign(without(name)))


@given(
    st.dictionaries(
        st.sampled_from(["iss", "aud", "azp", "sub", "exp", "iat", "nonce", "at_hash", "nbf"]),
        JSON_VALUES | st.sampled_from([ISSUER, CLIENT_ID, NONCE, 10**400, -(10**400), 1e999]),
        max_size=3,
    )
)
@settings(max_examples=100, deadline=None)
def test_any_signed_claims_are_accepted_or_a_provider_error(changes):
    signer = Signer("ES256", key("EC P-256"))
    try:
        claims = check(issuer_with(public(signer.key)), sign(good_claims(**changes), signer))
    except ProviderError:
        return
    assert (claims["iss"], claims["nonce"]) == (ISSUER, NONCE)
    assert claims["sub"]
    assert claims["aud"] == CLIENT_ID or CLIENT_ID in claims["aud"]


@given(
    st.dictionaries(
        st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5c", "x5t", "zip"]),
        JSON_VALUES | st.sampled_from([*sorted(ALGORITHMS), "none", "RSA", "EC P-256"]),
    ),
    st.sampled_from([b"", b"\0", b"\0" * 64, b"\0" * 256]),
)
@settings(max_examples=100, deadline=None)
def test_an_unsigned_token_is_refused_whatever_its_header(header, signature):
    parts = (segment(header), segment(good_claims()), segment(signature))
    assert_not_believed(b".".join(parts).decode(), key("RSA"), key("EC P-256"))
