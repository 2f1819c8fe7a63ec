"""An issuer's keys: rotated without a restart, and kept while new ones cannot be read."""

import pytest
import requests
from flask import redirect
from hypothesis import given, settings
from hypothesis import strategies as st

from config.validators import check_endpoint
from errors import ProviderError
from providers.http.cache import (
    COOL_DOWN_SECONDS,
    FAILURE_SECONDS,
    LIFETIME_SECONDS,
)
from providers.protocols.upstream_issuer import UpstreamIssuer
from tests.providers.protocols.id_tokens import (
    ISSUER,
    JSON_VALUES,
    SOME_ODD_ANSWERS,
    Signer,
    assert_refused,
    check,
    good_claims,
    issuer_with,
    key,
    metadata_of,
    public,
    sign,
)

# Keys, over real HTTP.


def test_a_new_key_is_found_without_a_restart(browser, site, clock):
    """Google changes its keys every few weeks."""
    google = site.simulator.google
    assert browser.sign_in("google", "ada").path == "/account"
    google.rotate()
    clock.later(COOL_DOWN_SECONDS)
    assert browser.sign_in("google", "ada").path == "/account"
    assert google.seen.count("certs") == 2


def test_made_up_key_ids_cause_at_most_one_key_request_a_minute(browser, site, clock):
    """JWKS fetch amplification: odd tokens must not make us flood the issuer."""
    google = site.simulator.google
    assert browser.sign_in("google", "ada").path == "/account"
    browser.sign_out()
    for minute in range(1, 4):
        for _ in range(3):
            assert_refused(browser.sign_in("google", "ada", behave="id_token:unknown_kid"))
        assert google.seen.count("certs") == minute
        clock.later(COOL_DOWN_SECONDS)
    assert browser.sign_in("google", "ada").path == "/account"


@pytest.mark.parametrize("answer", SOME_ODD_ANSWERS)
def test_the_old_keys_stay_when_new_ones_cannot_be_read(browser, site, clock, answer):
    google = site.simulator.google
    assert browser.sign_in("google", "ada").path == "/account"
    browser.sign_out()
    google.certs_answer = answer
    clock.later(COOL_DOWN_SECONDS)
    assert_refused(browser.sign_in("google", "ada", behave="id_token:unknown_kid"))
    assert google.seen.count("certs") >= 2
    assert browser.sign_in("google", "ada").path == "/account"


def test_a_withdrawn_key_is_accepted_for_at_most_an_hour(browser, site, clock):
    google = site.simulator.google
    assert browser.sign_in("google", "ada").path == "/account"
    browser.sign_out()
    stolen = google.key
    google.rotate()
    clock.later(LIFETIME_SECONDS)
    assert browser.sign_in("google", "ada").path == "/account"
    browser.sign_out()
    published, google.key = google.key, stolen
    assert_refused(browser.sign_in("google", "ada"))
    google.key = published
    assert browser.sign_in("google", "ada").path == "/account"


@pytest.mark.parametrize("answer", SOME_ODD_ANSWERS)
def test_a_first_sign_in_without_keys_ends_in_an_error_page(browser, site, clock, answer):
    site.simulator.google.certs_answer = answer
    page = browser.sign_in("google", "ada")
    assert page.status == 502
    assert page.alert in ("Google couldn't complete the sign-in", "Google isn't answering")
    assert site.user_count() == 0
    site.simulator.google.certs_answer = ""
    clock.later(FAILURE_SECONDS)
    assert browser.sign_in("google", "ada").path == "/account"


# Key sets.


@pytest.mark.parametrize(
    "changes",
    [
        *({"crv": "P-257"}, {"crv": ""}, {"crv": "Ed25519"}, {"crv": None}, {"crv": 5}, {"x": ""}),
        *({"kty": "oct", "k": "AAAA"}, {"kty": "AKP"}, {"kty": None}, {"kty": ["EC"]}, {"x": 5}),
        *({"use": "enc"}, {"use": None}, {"use": []}, {"x": "AAAA"}, {"y": "!"}, {"x": "\ud800"}),
        *({"key_ops": ["encrypt"]}, {"key_ops": 5}, {"alg": 5}, {"kty": "RSA", "n": "A", "e": "A"}),
        *({"kty": "RSA"}, {"kty": "OKP"}, {"kty": "OKP", "crv": "Ed25520"}, {"kid": ["RSA"]}),
    ],
    ids=ascii,
)
def test_a_key_of_an_unknown_kind_is_ignored(changes):
    """Issuers publish keys for purposes, curves and algorithms that we do not know."""
    strange = {**key("EC P-256").as_dict(private=False), "kid": "strange", **changes}
    rows = [strange, None, 5, [], {}, "text", *public(key("RSA"))["keys"]]
    assert check(issuer_with({"keys": rows}), sign(good_claims()))


@pytest.mark.parametrize(
    "key_set",
    [None, [], {}, 5, "text", {"keys": None}, {"keys": {}}, {"keys": []}, {"keys": [None]}],
    ids=str,
)
def test_a_key_set_without_keys_is_refused(key_set):
    with pytest.raises(ProviderError):
        check(issuer_with(key_set), sign(good_claims()))


def test_an_encryption_key_is_never_used_to_verify():
    """Keycloak publishes one alongside its signing key."""
    for_encryption = {**key("RSA").as_dict(private=False), "kid": "other", "use": "enc"}
    rows = [for_encryption, *public(key("EC P-256"))["keys"]]
    signer = Signer("ES256", key("EC P-256"))
    assert check(issuer_with({"keys": rows}), sign(good_claims(), signer, kid=None))
    with pytest.raises(ProviderError):
        check(issuer_with({"keys": rows}), sign(good_claims(), kid="other"))


def test_a_key_without_an_id_is_found_by_its_thumbprint():
    """RFC 7638; the id is only recommended (RFC 7517 4.5)."""
    row = {n: v for n, v in key("RSA").as_dict(private=False).items() if n != "kid"}
    issuer = issuer_with({"keys": [row, *public(key("EC P-256"))["keys"]]})
    assert check(issuer, sign(good_claims(), kid=key("RSA").thumbprint()))


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(
                ["kty", "crv", "x", "y", "n", "e", "d", "use", "kid", "key_ops", "alg"]
            ),
            JSON_VALUES | st.sampled_from(["RSA", "EC", "OKP", "P-256", "Ed25519", "sig", "AQAB"]),
        )
    )
)
@settings(max_examples=100, deadline=None)
@pytest.mark.filterwarnings("ignore:Key size should be:joserfc.errors.SecurityWarning")
def test_the_good_key_is_found_in_any_key_set(rows):
    for row in rows:
        row.pop("kid", None)
    signer = Signer("ES256", key("EC P-256"))
    key_set = {"keys": [*rows, *public(signer.key)["keys"]]}
    assert check(issuer_with(key_set), sign(good_claims(), signer))


@given(
    st.dictionaries(
        st.sampled_from(["authorization_endpoint", "token_endpoint", "jwks_uri", "issuer"]),
        JSON_VALUES | st.text(st.characters(), max_size=12).map("https://a".__add__),
        max_size=2,
    )
)
@settings(max_examples=100, deadline=None)
def test_any_metadata_is_usable_or_refused(changes):
    """Accepted values are used in a Location header and in requests."""
    pages = {f"{ISSUER}/.well-known/openid-configuration": metadata_of(ISSUER) | changes}
    try:
        metadata = UpstreamIssuer(ISSUER, pages.__getitem__).metadata()
    except ProviderError:
        return
    for url in (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri):
        assert check_endpoint(url) == url
        assert requests.Request("GET", url).prepare().url
        assert redirect(f"{url}?state=x").headers["Location"].startswith("https://")
