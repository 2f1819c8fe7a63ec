"""An issuer's keys: rotated without a restart, and kept while new ones cannot be read."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
import requests
from flask import redirect
from hypothesis import given, settings
from hypothesis import strategies as st

from config.validators import check_endpoint
from errors import ProviderError
from keys.jwk_set import CANDIDATES_MAX
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


def test_a_new_key_is_found_immediately(browser, site, clock):
    """Google changes its keys every few weeks; an issuer in trouble, at any moment."""
    google = site.simulator.google
    assert browser.sign_in("google", "ada").path == "/account"
    clock.later(COOL_DOWN_SECONDS)
    google.rotate()
    assert browser.sign_in("google", "ada").path == "/account"
    assert google.seen.count("certs") == 2


def test_a_new_key_under_an_old_id_is_found_immediately(browser, site, clock):
    """Servers that make their key at start, under an id of the settings."""
    google = site.simulator.google
    google.key_rows = lambda row: [{**row, "kid": "signing"}]
    site.simulator.google.header = {"kid": "signing"}
    assert browser.sign_in("google", "ada").path == "/account"
    clock.later(COOL_DOWN_SECONDS)
    google.rotate()
    assert browser.sign_in("google", "ada").path == "/account"


@pytest.mark.parametrize("flaw", ["unknown_kid", "other_key_same_kid"])
def test_made_up_tokens_cause_at_most_one_key_request_in_five_seconds(browser, site, clock, flaw):
    """JWKS fetch amplification: odd tokens must not make us flood the issuer."""
    google = site.simulator.google
    assert browser.sign_in("google", "ada").path == "/account"
    browser.sign_out()
    for reads in range(1, 4):
        for _ in range(3):
            assert_refused(browser.sign_in("google", "ada", behave=f"id_token:{flaw}"))
        assert google.seen.count("certs") == reads
        clock.later(COOL_DOWN_SECONDS)
    assert browser.sign_in("google", "ada").path == "/account"


# Sets of several keys, over real HTTP.

EC_ROW = {**key("EC P-256").as_dict(private=False), "use": "sig"}
STRANGER_ROW = {**key("RSA 2048").as_dict(private=False), "use": "sig"}


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


KEY_SETS: dict[str, Callable[[dict[str, Any]], list[Any]]] = {
    "RSA and EC share an id": lambda row: [row, {**EC_ROW, "kid": row["kid"]}],
    "EC and RSA share an id": lambda row: [{**EC_ROW, "kid": row["kid"]}, row],
    "one key for three algorithms": lambda row: [
        {**row, "alg": algorithm} for algorithm in ("RS256", "RS512", "RS384")
    ],
    "two keys share id and algorithm": lambda row: [row, {**STRANGER_ROW, "kid": row["kid"]}],
    "and in the other order": lambda row: [{**STRANGER_ROW, "kid": row["kid"]}, row],
    "one is for encryption": lambda row: [row, {**STRANGER_ROW, "kid": row["kid"], "use": "enc"}],
    "one encrypts by its alg": lambda row: [
        row,
        {**without(STRANGER_ROW, "use"), "kid": row["kid"], "alg": "RSA-OAEP"},
    ],
    "one encrypts by its operations": lambda row: [
        row,
        {**without(STRANGER_ROW, "use"), "kid": row["kid"], "key_ops": ["encrypt", "wrapKey"]},
    ],
    "it says little of itself": lambda row: [without(row, "use", "alg"), EC_ROW],
    "it says null": lambda row: [{**row, "use": None, "alg": None, "key_ops": None}],
    "it verifies": lambda row: [{**row, "key_ops": ["verify"]}],
    "bad rows share its id": lambda row: [
        row,
        *({**row, "n": odd} for odd in ("", "!", 5, None, "AQAB")),
        *({**row, name: ["odd"]} for name in ("kty", "use", "alg", "e")),
        {**row, "kty": "oct", "k": "AAAA"},
        {"kid": row["kid"]},
    ],
    "padded": lambda row: [{**row, "n": row["n"] + "==", "e": row["e"] + "="}],
    "leading zeros": lambda row: [{**row, "n": with_zeros(row["n"]), "e": with_zeros(row["e"])}],
    "plain base64": lambda row: [{**row, "n": row["n"].replace("-", "+").replace("_", "/")}],
    "a certificate beside it": lambda row: [{**row, "x5c": ["AAAA"], "x5t": 5, "x5u": "none"}],
}


def with_zeros(number: str) -> str:
    data = base64.urlsafe_b64decode(number + "=" * (-len(number) % 4))
    return base64.urlsafe_b64encode(b"\0\0" + data).decode()


@pytest.mark.parametrize("rows", KEY_SETS)
def test_the_signing_key_is_found_among_any_other_keys(browser, site, rows):
    """RFC 7517 4.5: keys of several types may share an id. ForgeRock publishes one key thrice."""
    site.simulator.google.key_rows = KEY_SETS[rows]
    assert browser.sign_in("google", "ada").path == "/account"
    page = site.browser().sign_in("google", "anon", behave="id_token:other_key_same_kid")
    assert_refused(page)


@pytest.mark.parametrize(
    "changes",
    [
        *({"use": "enc"}, {"use": "sig", "alg": "RSA-OAEP"}, {"alg": "RS384"}, {"alg": "PS256"}),
        *({"key_ops": ["encrypt"]}, {"key_ops": []}, {"key_ops": "verify"}, {"kty": "EC"}),
    ],
    ids=str,
)
def test_a_key_that_cannot_sign_such_a_token_signs_none(browser, site, changes):
    site.simulator.google.key_rows = lambda row: [{**row, **changes}, EC_ROW]
    assert_refused(browser.sign_in("google", "ada"))
    assert site.user_count() == 0


def test_of_many_keys_alike_only_some_are_tried():
    """A set must not buy time: each attempt costs a signature check."""
    rows = [{**STRANGER_ROW, "kid": "RSA"} for _ in range(3)]
    modulus = int.from_bytes(base64.urlsafe_b64decode(STRANGER_ROW["n"] + "=="))
    for number in range(CANDIDATES_MAX - 1):
        other = (modulus + 2 * number + 2).to_bytes(256)
        rows.append({**rows[0], "n": base64.urlsafe_b64encode(other).decode()})
    good = public(key("RSA"))["keys"]
    assert check(issuer_with({"keys": [*rows[:-1], *good]}), sign(good_claims()))
    with pytest.raises(ProviderError):
        check(issuer_with({"keys": [*rows, *good]}), sign(good_claims()))


@pytest.mark.parametrize("kind", ["EC P-256", "EC P-384", "EC P-521", "OKP Ed25519", "OKP Ed448"])
def test_padding_is_tolerated_in_every_kind_of_key(kind):
    algorithm = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}.get(kind[3:], "EdDSA")
    (row,) = public(key(kind))["keys"]
    padded = {**row, **{name: row[name] + "==" for name in ("x", "y") if name in row}}
    signer = Signer(algorithm, key(kind))
    assert check(issuer_with({"keys": [padded]}), sign(good_claims(), signer))


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
