"""OpenID Connect: only id_tokens that this issuer signed are accepted."""

import hashlib
import hmac

import pytest
from joserfc import jwk

from errors import ProviderError
from keys.jwk_set import ALGORITHMS
from simulator.signing import ODD_CLAIMS, SPOILT_CLAIMS, SPOILT_SUBJECTS, SPOILT_TOKENS
from tests.providers.protocols.id_tokens import (
    ACCESS_TOKEN,
    CLIENT_ID,
    Signer,
    assert_not_believed,
    assert_refused,
    check,
    good_claims,
    issuer_with,
    key,
    public,
    segment,
    sign,
)

# The logged reason for each flaw.
REASONS = {
    "other_issuer": "iss is another issuer",
    "other_audience": "aud is another client",
    "other_azp": "azp is another client",
    "two_audiences": "azp is another client",
    "expired": "it has expired",
    "from_the_future": "it is from the future",
    "valid_later": "it is not valid yet (nbf)",
    "nbf_as_text": "nbf is not a number",
    "exp_as_text": "exp is not a number",
    "exp_as_true": "exp is not a number",
    "other_nonce": "nonce is missing or of another flow",
    "nonce_as_list": "nonce is missing or of another flow",
    "other_at_hash": "at_hash is of another access token",
    "empty_sub": "sub is missing",
    "sub_as_null": "sub is missing",
    "sub_as_list": "sub is missing",
    "long_sub": "the subject is longer than 255 characters",
    "blank_sub": "the subject has no visible character",
    "invisible_sub": "the subject has no visible character",
    "control_sub": "unprintable",
    "no_iss": "iss is another issuer",
    "no_aud": "aud is another client",
    "no_exp": "exp is not a number",
    "no_iat": "iat is not a number",
    "no_nonce": "nonce is missing or of another flow",
    "no_sub": "sub is missing",
    "byte_order_mark": "claims cannot be read",
    "utf_16": "claims cannot be read",
    "infinity": "Infinity is not a JSON number",
    "nan": "NaN is not a JSON number",
    "too_large": "a number is too large",
    "twice": "two members of an object have one name",
    "encrypted": "the id_token is encrypted",
    "alg_none": "alg is not allowed",
    "alg_none_signed_by_nobody": "alg is not allowed",
    "hs256_with_public_key": "alg is not allowed",
    "other_key_same_kid": "signature is not of the issuer's key",
    "unknown_kid": "a key the issuer does not publish",
    "embedded_key": "signature is not of the issuer's key",
    "jku": "signature is not of the issuer's key",
    "not_a_jwt": "the id_token is not a JWT",
    "missing": "holds no id_token",
    "claims_are_a_list": "the id_token's claims: not an object",
}


# The id_token, over real HTTP.


@pytest.mark.parametrize("flaw", [*SPOILT_CLAIMS, *SPOILT_SUBJECTS, *SPOILT_TOKENS])
def test_a_flawed_id_token_signs_nobody_in(browser, site, caplog, flaw):
    """Logto CVE-2026-15612, Supabase CVE-2026-31813, Zitadel CVE-2026-55669; alg none, a public
    key as an HMAC secret, keys from the token's own header."""
    page = browser.sign_in("google", "anon", behave=f"id_token:{flaw}")
    assert_refused(page)
    assert browser.me() is None
    assert site.user_count() == 0
    assert REASONS[flaw] in caplog.text
    if flaw not in ("long_sub", *SPOILT_SUBJECTS):
        assert "userinfo" not in site.simulator.google.seen
    assert browser.sign_in("google", "anon").path == "/account"
    assert browser.me()
    assert site.user_count() == 1


@pytest.mark.parametrize("odd", ODD_CLAIMS)
def test_an_unusual_id_token_signs_in(browser, odd):
    """azp may be missing among several clients (OpenID Connect Core, errata 2)."""
    assert browser.sign_in("google", "ada", behave=f"id_token:{odd}").path == "/account"


def test_the_log_names_key_and_algorithm_of_a_refused_token(browser, site, caplog):
    browser.sign_in("google", "ada", behave="id_token:unknown_kid")
    assert "(kid 'made-up', RS256)" in caplog.text
    browser.sign_in("google", "ada", behave="id_token:hs256_with_public_key")
    assert "alg is not allowed: 'HS256'" in caplog.text


def test_a_replayed_code_is_exchanged_once(browser, site):
    callback = browser.choose(browser.begin("google"), "ada")
    assert browser.get(callback).path == "/account"
    assert_refused(browser.get(callback), 400, "We couldn't match that sign-in")
    assert site.simulator.google.seen.count("token") == 1


# The checks one by one, with tokens signed here.


KINDS = {
    **dict.fromkeys(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"], "RSA"),
    "ES256": "EC P-256",
    "ES384": "EC P-384",
    "ES512": "EC P-521",
    "EdDSA": "OKP Ed25519",
}


def test_a_good_id_token_is_accepted():
    claims = good_claims(name="Ada", at_hash=None)
    del claims["at_hash"]
    assert check(issuer_with(public(key("RSA"))), sign(claims)) == claims


HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_every_allowed_algorithm_is_understood_with_its_at_hash(algorithm):
    """Okta, Keycloak, Microsoft and others sign with more than RS256. at_hash uses the hash of the
    algorithm (OpenID Connect Core 3.1.3.6); for Ed25519 that is SHA-512."""
    signer = Signer(algorithm, key(KINDS[algorithm]))
    issuer = issuer_with(public(signer.key, key("RSA"), key("EC P-256")))
    assert check(issuer, sign(good_claims(), signer))["sub"] == "1"
    digest = HASHES.get(algorithm[-3:], hashlib.sha512)(ACCESS_TOKEN.encode()).digest()
    half = segment(digest[: len(digest) // 2]).decode()
    assert check(issuer, sign(good_claims(at_hash=half), signer))
    wrong = [digest, digest[len(digest) // 2 :], digest[: len(digest) // 2 - 1], b""]
    wrong += [hashlib.new(name, ACCESS_TOKEN.encode()).digest() for name in ("md5", "sha1")]
    for each in wrong:
        with pytest.raises(ProviderError):
            check(issuer, sign(good_claims(at_hash=segment(each).decode()), signer))


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize("secret", ["published", "public key", "client id", "nothing"])
def test_a_token_signed_with_a_shared_secret_is_refused(algorithm, secret):
    """Even where the issuer publishes one; a public key is not a secret, either."""
    secrets = {
        "published": key("oct").raw_value,
        "public key": key("RSA").as_pem(private=False),
        "client id": CLIENT_ID.encode(),
        "nothing": b"",
    }
    kid = "oct" if secret == "published" else "RSA"
    signed = segment({"alg": algorithm, "kid": kid}) + b"." + segment(good_claims())
    signature = hmac.digest(secrets[secret], signed, f"sha{algorithm[2:]}")
    key_set = {"keys": [key("oct").as_dict(private=True), *public(key("RSA"))["keys"]]}
    with pytest.raises(ProviderError):
        check(issuer_with(key_set), (signed + b"." + segment(signature)).decode())


@pytest.mark.parametrize(
    "algorithm",
    [
        *("none", "None", "NONE", "", "rs256", "RS1", "RS256 ", "ES256K", "HS256", "RSA-OAEP"),
        *("dir", None, 5, True, ["RS256"], {"RS256": 1}, "\ud800"),
    ],
    ids=ascii,
)
@pytest.mark.parametrize("signature", ["kept", "gone"])
def test_an_algorithm_that_is_not_on_the_list_is_refused(algorithm, signature):
    token = sign(good_claims(), alg=algorithm)
    assert_not_believed(token if signature == "kept" else token.rpartition(".")[0] + ".")


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
@pytest.mark.parametrize(
    "kind", ["RSA", "EC P-256", "EC P-384", "EC P-521", "OKP Ed25519", "OKP X25519"]
)
def test_an_algorithm_with_a_key_of_another_kind_is_refused(algorithm, kind):
    if KINDS[algorithm] == kind:
        return
    token = sign(good_claims(), Signer(algorithm, key(KINDS[algorithm])), kid=kind)
    assert_not_believed(token, key(KINDS[algorithm]), key(kind))


@pytest.mark.filterwarnings("ignore:Key size should be:joserfc.errors.SecurityWarning")
def test_an_rsa_key_that_is_too_short_is_refused():
    weak = key("RSA 1024")
    token = sign(good_claims(), Signer("RS256", weak))
    assert_not_believed(token, weak)
    assert_not_believed(token, weak, key("RSA"))
    assert check(issuer_with(public(weak, key("RSA"))), sign(good_claims()))


@pytest.mark.parametrize(
    "header",
    [
        *({"crit": ["exp"], "exp": 1}, {"crit": ["b64"], "b64": True}, {"crit": ["alg"]}),
        *({"crit": ["b64"], "b64": False}, {"crit": ["http://evil.example/x"]}, {"crit": []}),
        *({"crit": "exp"}, {"crit": 5}, {"crit": [5]}, {"crit": {}}, {"b64": False}),
    ],
    ids=str,
)
def test_a_critical_header_is_refused(header):
    """RFC 7515 4.1.11; RFC 7797 7 forbids b64 in a JWT."""
    assert_not_believed(sign(good_claims(), **header))


STRANGER = jwk.RSAKey.generate_key(2048)
KEYS_IN_A_HEADER = [
    {"jwk": STRANGER.as_dict(private=False)},
    {"jku": "https://evil.example/keys"},
    {"x5u": "https://evil.example/certificate"},
    {"x5c": ["MIIB"]},
]


@pytest.mark.parametrize("header", KEYS_IN_A_HEADER, ids=lambda header: next(iter(header)))
@pytest.mark.parametrize("kid", ["RSA", "of-the-stranger", None])
def test_no_key_is_ever_taken_from_a_token(header, kid):
    """jku, x5u and jwk header injection. Fetching a named URL would fail here."""
    assert_not_believed(sign(good_claims(), Signer("RS256", STRANGER), kid=kid, **header))


@pytest.mark.parametrize(
    "header", [*KEYS_IN_A_HEADER, {"x5t": "abc"}, {"x5t#S256": "abc"}, {"typ": "JWT"}, {"a": [1]}]
)
def test_unknown_header_parameters_are_ignored(header):
    """Microsoft sends x5t in every id_token."""
    assert check(issuer_with(public(key("RSA"))), sign(good_claims(), **header))


def test_without_a_key_id_any_key_of_the_algorithm_may_have_signed():
    token = sign(good_claims(), kid=None)
    assert check(issuer_with(public(key("RSA"))), token)
    assert check(issuer_with(public(key("EC P-256"), STRANGER, key("RSA"))), token)
    assert_not_believed(token, STRANGER, key("EC P-256"))


@pytest.mark.parametrize("kid", [5, True, ["RSA"], {"RSA": 1}, "", "rsa", "RSA ", "\ud800"])
def test_a_key_id_is_compared_exactly(kid):
    assert_not_believed(sign(good_claims(), kid=kid))


def test_a_token_with_one_changed_letter_is_refused():
    token = sign(good_claims(sub="1"))
    header, claims, signature = token.split(".")
    forged = segment(good_claims(sub="2")).decode()
    changed = ("B" if signature[0] == "A" else "A") + signature[1:]
    for bad in (f"{header}.{forged}.{signature}", f"{header}.{claims}.{changed}"):
        assert_not_believed(bad)
    for bad in (token + ".", token + "=", token + "\n", " " + token, token + "." + signature):
        assert_not_believed(bad)


@pytest.mark.parametrize(
    "token", [None, "", ".", "..", "...", "a.b.c", "....", 5, True, [], {}, b"a.b.c", "\ud800.a.b"]
)
def test_a_value_that_is_not_a_jwt_is_refused(token):
    assert_not_believed(token)


def test_an_oversized_token_is_refused():
    assert_not_believed(sign(good_claims(name="x" * 70_000)))
    assert_not_believed(sign(good_claims(), a="x" * 10_000))


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"null", b"[]", b"1", b'"text"', b"\xff", b"[" * 10_000, b'{"a":' * 10_000],
    ids=lambda content: ascii(content[:8]),
)
def test_claims_that_are_not_an_object_are_refused(content):
    assert_not_believed(sign(content))
