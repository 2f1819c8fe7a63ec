"""OpenID Connect: no id_token is believed but one of this issuer, client and flow; and issuers
that fail, change or lie disturb as little as they can."""

import base64
import hashlib
import hmac
import json
import re
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import pytest
import requests
from flask import redirect
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwk, jws
from joserfc.errors import SecurityWarning

from config.registrations import check_endpoint
from errors import ProviderDown, ProviderError
from keys.jwt import ALGORITHMS, VerifiedClaims
from providers import PROVIDERS
from providers.http.cache import (
    COOL_DOWN_SECONDS,
    FAILURE_SECONDS,
    LIFETIME_SECONDS,
    RETRY_SECONDS,
    Cached,
)
from providers.protocols.metadata import Metadata
from providers.protocols.upstream_issuer import UpstreamIssuer
from simulator.misbehaviour import ANSWERS
from simulator.signing import SPOILT_CLAIMS, SPOILT_TOKENS
from tests.browser import Page, query_of

ODD_ANSWERS = sorted(set(ANSWERS) - {"slow", "drip"})
# One of each kind: what the transport makes of the others is in test_transport.py.
SOME_ODD_ANSWERS = ["hang_up", "html", "list", "huge", "status_500", "refuses_client"]
# What the log says of each flaw: it was found for what it is.
REASONS = {
    "other_issuer": "iss is another issuer",
    "other_audience": "aud is another client",
    "other_azp": "azp is another client",
    "two_audiences": "aud has several clients and no azp",
    "expired": "it has expired",
    "from_the_future": "it is from the future",
    "exp_as_text": "exp is not a number",
    "exp_as_true": "exp is not a number",
    "other_nonce": "nonce is missing or of another flow",
    "nonce_as_list": "nonce is missing or of another flow",
    "other_at_hash": "at_hash is of another access token",
    "empty_sub": "sub is missing",
    "sub_as_null": "sub is missing",
    "sub_as_list": "sub is missing",
    "long_sub": "the subject is longer than 255 characters",
    "no_iss": "iss is another issuer",
    "no_aud": "aud is another client",
    "no_exp": "exp is not a number",
    "no_iat": "iat is not a number",
    "no_nonce": "nonce is missing or of another flow",
    "no_sub": "sub is missing",
    "alg_none": "alg is not allowed",
    "alg_none_signed_by_nobody": "alg is not allowed",
    "hs256_with_public_key": "alg is not allowed",
    "other_key_same_kid": "BadSignatureError",
    "unknown_kid": "a key the issuer does not publish",
    "embedded_key": "BadSignatureError",
    "jku": "BadSignatureError",
    "not_a_jwt": "the id_token is not a JWT",
    "missing": "holds no id_token",
    "claims_are_a_list": "claims are not an object",
}


def assert_refused(page: Page, status: int = 502, title: str = "") -> None:
    """The sign-in page with its reason and a way on."""
    assert page.status == status, page
    assert page.alert == (title or "Google couldn't complete the sign-in")
    assert re.search(r"Reference [2-9A-Z]{4}-[2-9A-Z]{4}", page.text)
    assert page.buttons


# The id_token, over real HTTP.


@pytest.mark.parametrize("flaw", [*SPOILT_CLAIMS, *SPOILT_TOKENS])
def test_a_spoilt_id_token_signs_nobody_in(browser, site, caplog, flaw):
    """Logto CVE-2026-15612, Supabase CVE-2026-31813, Zitadel CVE-2026-55669; alg none, a public
    key as an HMAC secret, keys from the token's own header."""
    page = browser.sign_in("google", "anon", behave=f"id_token:{flaw}")
    assert_refused(page)
    assert browser.me() is None
    assert site.user_count() == 0
    assert REASONS[flaw] in caplog.text
    if flaw != "long_sub":
        assert "userinfo" not in site.simulator.google.seen
    assert browser.sign_in("google", "anon").path == "/account"
    assert browser.me()
    assert site.user_count() == 1


def test_a_code_that_comes_back_twice_is_exchanged_once(browser, site):
    callback = browser.choose(browser.begin("google"), "ada")
    assert browser.get(callback).path == "/account"
    assert_refused(browser.get(callback), 400, "We couldn't match that sign-in")
    assert site.simulator.google.seen.count("token") == 1


# Metadata, over real HTTP.


def test_nothing_is_read_of_an_issuer_before_it_is_needed(site, browser):
    assert browser.get("/login").status == 200
    assert browser.sign_in("github", "grace").path == "/account"
    assert site.simulator.google.seen == []


@pytest.mark.parametrize("answer", ODD_ANSWERS)
def test_an_issuer_that_is_broken_breaks_its_own_button_only(make_site, clock, answer):
    """One provider down must not keep the server down."""
    site = make_site()
    site.simulator.google.metadata_answer = answer
    site.restart()
    browser = site.browser()
    assert "Continue with Google" in browser.get("/login").buttons
    page = browser.get("/login/google")
    assert page.status == 502
    assert page.alert in ("Google couldn't complete the sign-in", "Google isn't answering")
    assert browser.get("/login").status == 200
    assert browser.sign_in("facebook", "grace").path == "/account"
    browser.sign_out()
    site.simulator.google.metadata_answer = ""
    clock.later(FAILURE_SECONDS)
    assert browser.sign_in("google", "ada").path == "/account"


@pytest.mark.parametrize("answer", ["slow", "drip"])
def test_an_issuer_that_takes_for_ever_is_left_waiting(browser, site, monkeypatch, answer):
    monkeypatch.setattr("providers.http.connections.READ_SECONDS", 1.2)
    monkeypatch.setattr("providers.http.connections.TOTAL_SECONDS", 1.3)
    site.simulator.google.metadata_answer = answer
    assert_refused(browser.get("/login/google"), 504, "Google isn't answering")


@pytest.mark.parametrize(
    "issuer",
    [
        "https://accounts.evil.example",
        "https://accounts.google.com",
        "accounts.google.com",
        *("{}/", "{}#", " {}", "", None, ["{}"], {"{}": 1}, 5, True),
    ],
    ids=str,
)
def test_metadata_of_another_issuer_are_refused(browser, site, clock, issuer):
    """OpenID Connect Discovery 4.3: otherwise one issuer could speak for another."""
    google = site.simulator.google
    named = json.loads(json.dumps(issuer).replace("{}", google.url))
    google.metadata_changes = {"issuer": named}
    assert_refused(browser.get("/login/google"))
    google.metadata_changes = {}
    clock.later(FAILURE_SECONDS)
    assert browser.sign_in("google", "ada").path == "/account"


BAD_ENDPOINTS: list[Any] = [
    *(None, "", 5, True, [], ["https://a.example/"], {}, "absent", "/token", "//a.example/token"),
    *("http://a.example/token", "ftp://a.example/", "javascript:alert(1)", "https://", "https:a"),
    *("https://user:password@a.example/", "https://a.example/#x", "https://a b.example/"),
    *("https://a.example/\r\nSet-Cookie: x=y", "https://a.example:99999/", "https://*.example/"),
    *("https://bücher.example/", "https://\ud800.example/", "https://[::1/", "\0"),
]


@pytest.mark.parametrize("bad", BAD_ENDPOINTS, ids=ascii)
@pytest.mark.parametrize(
    "name", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"]
)
def test_an_endpoint_that_is_none_or_goes_in_the_clear_is_refused(name, bad):
    """Code, secret and access token go there; http is for this machine alone."""
    metadata = metadata_of(ISSUER) | {name: bad}
    if bad == "absent":
        del metadata[name]
    issuer = UpstreamIssuer(
        ISSUER, {f"{ISSUER}/.well-known/openid-configuration": metadata}.__getitem__
    )
    if name == "userinfo_endpoint" and bad in (None, "", [], {}, "absent"):
        assert issuer.metadata().userinfo_endpoint is None
        return
    with pytest.raises(ProviderError):
        issuer.metadata()


@pytest.mark.parametrize("bad", ["http://a.example/token", "https://a.example/\r\nX: y", None])
def test_nobody_is_sent_to_a_bad_endpoint(browser, site, bad):
    site.simulator.google.metadata_changes = {"authorization_endpoint": bad}
    page = browser.get("/login/google")
    assert_refused(page)
    assert page.location == ""


def test_metadata_and_keys_are_read_once_and_again_after_an_hour(site, clock):
    seen = site.simulator.google.seen
    for _ in range(3):
        assert site.browser().sign_in("google", "ada").path == "/account"
    assert (seen.count("metadata"), seen.count("certs")) == (1, 1)
    clock.later(LIFETIME_SECONDS)
    for _ in range(2):
        assert site.browser().sign_in("google", "ada").path == "/account"
    assert (seen.count("metadata"), seen.count("certs")) == (2, 2)


@pytest.mark.parametrize("answer", SOME_ODD_ANSWERS)
def test_old_metadata_and_keys_serve_while_they_cannot_be_read_again(site, clock, answer):
    google, browser = site.simulator.google, site.browser()
    assert browser.sign_in("google", "ada").path == "/account"
    google.metadata_answer = google.certs_answer = answer
    clock.later(LIFETIME_SECONDS)
    google.seen.clear()
    for _ in range(2):
        assert browser.sign_in("google", "ada").path == "/account"
    # The transport asks once more where the connection broke.
    tries = 2 if answer == "hang_up" else 1
    assert (google.seen.count("metadata"), google.seen.count("certs")) == (tries, tries)
    google.metadata_answer = google.certs_answer = ""
    clock.later(RETRY_SECONDS)
    google.seen.clear()
    for _ in range(2):
        assert browser.sign_in("google", "ada").path == "/account"
    assert (google.seen.count("metadata"), google.seen.count("certs")) == (1, 1)


def test_metadata_that_turn_bad_do_not_replace_good_ones(browser, site, clock):
    assert browser.sign_in("google", "ada").path == "/account"
    site.simulator.google.metadata_changes = {"token_endpoint": "http://a.example/"}
    clock.later(LIFETIME_SECONDS)
    assert browser.sign_in("google", "ada").path == "/account"
    assert site.simulator.google.seen.count("metadata") == 2


# Keys, over real HTTP.


def test_a_new_key_is_found_without_a_restart(browser, site, clock):
    """Google changes its keys every few weeks."""
    google = site.simulator.google
    assert browser.sign_in("google", "ada").path == "/account"
    google.rotate()
    clock.later(COOL_DOWN_SECONDS)
    assert browser.sign_in("google", "ada").path == "/account"
    assert google.seen.count("certs") == 2


def test_made_up_key_ids_make_us_ask_at_most_once_a_minute(browser, site, clock):
    """JWKS fetch amplification: whoever sends odd tokens must not make us hammer the issuer."""
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


def test_a_key_that_the_issuer_withdrew_is_good_for_an_hour_at_most(browser, site, clock):
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
def test_without_any_keys_the_first_sign_in_fails_softly(browser, site, clock, answer):
    site.simulator.google.certs_answer = answer
    page = browser.sign_in("google", "ada")
    assert page.status == 502
    assert page.alert in ("Google couldn't complete the sign-in", "Google isn't answering")
    assert site.user_count() == 0
    site.simulator.google.certs_answer = ""
    clock.later(FAILURE_SECONDS)
    assert browser.sign_in("google", "ada").path == "/account"


# RFC 9207: the answer comes from the issuer that was asked.


def with_iss(callback: str, *values: str) -> str:
    """The callback with these for its iss parameter."""
    query = {name: value for name, value in query_of(callback).items() if name != "iss"}
    pairs = [*query.items(), *(("iss", value) for value in values)]
    return urlsplit(callback)._replace(query=urlencode(pairs)).geturl()


@pytest.mark.parametrize(
    "values",
    [
        *([], [""], ["https://accounts.evil.example"], ["{}/"], ["{}", "https://evil.example"]),
        *(["https://accounts.google.com"], ["accounts.google.com"], ["{}", "{}"], ["{}\0"]),
    ],
    ids=str,
)
def test_a_callback_of_another_issuer_is_refused_before_its_code_is_sent(browser, site, values):
    """Mix-up: a code of one issuer must not be carried to another's token endpoint."""
    google = site.simulator.google
    callback = browser.choose(browser.begin("google"), "ada")
    moved = with_iss(callback, *[value.format(google.url) for value in values])
    assert_refused(browser.get(moved), 400, "We couldn't match that sign-in")
    assert "token" not in google.seen
    assert browser.me() is None
    assert browser.sign_in("google", "ada").path == "/account"


@pytest.mark.parametrize("announced", [False, None, "true", 1])
def test_an_issuer_that_announces_no_iss_may_leave_it_out_but_not_send_another(
    browser, site, announced
):
    google = site.simulator.google
    google.metadata_changes = {"authorization_response_iss_parameter_supported": announced}
    callback = browser.choose(browser.begin("google"), "ada")
    assert browser.get(with_iss(callback)).path == "/account"
    callback = browser.choose(browser.begin("google"), "ada")
    page = browser.get(with_iss(callback, "https://accounts.evil.example"))
    assert_refused(page, 400, "We couldn't match that sign-in")


def test_an_error_of_another_issuer_is_not_this_ones(browser):
    callback = browser.choose(browser.begin("google"), "", cancel="1")
    page = browser.get(with_iss(callback, "https://accounts.evil.example"))
    assert_refused(page, 400, "We couldn't match that sign-in")


# Userinfo, over real HTTP.


def test_userinfo_gives_the_name_that_the_id_token_lacks(browser, site):
    site.simulator.google.userinfo_name = "From userinfo"
    browser.sign_in("google", "anon")
    assert browser.me()["name"] == "From userinfo"
    assert site.simulator.google.seen.count("userinfo") == 1


def test_userinfo_of_another_sub_is_ignored(browser, site):
    """OpenID Connect Core 5.3.2; allauth compares no sub."""
    site.simulator.google.userinfo_name = "From userinfo"
    assert browser.sign_in("google", "anon", behave="userinfo:other_sub").path == "/account"
    assert browser.me()["name"] != "From userinfo"
    assert site.simulator.google.seen.count("userinfo") == 1
    assert site.rows("SELECT count(*) FROM oauth WHERE subject = '1'")[0][0] == 0


@pytest.mark.parametrize("answer", SOME_ODD_ANSWERS)
def test_odd_userinfo_costs_a_name_but_no_sign_in(browser, site, answer):
    site.simulator.google.userinfo_name = "From userinfo"
    assert browser.sign_in("google", "anon", behave=f"profile:{answer}").path == "/account"
    assert browser.me()["name"] != "From userinfo"


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_issuer_without_userinfo_will_do(browser, site, nothing):
    site.simulator.google.metadata_changes = {"userinfo_endpoint": nothing}
    assert browser.sign_in("google", "anon").path == "/account"
    assert "userinfo" not in site.simulator.google.seen


# The checks one by one, with tokens signed here.

ISSUER = "https://issuer.example"
CLIENT_ID, NONCE, ACCESS_TOKEN = "our-client", "of-this-flow", "an-access-token"


class Signer(NamedTuple):
    algorithm: str
    key: jwk.Key


@cache
def key(kind: str) -> Any:
    """A key pair; made once, because making RSA keys is slow."""
    family, _, size = kind.partition(" ")
    match family:
        case "RSA":
            with warnings.catch_warnings(action="ignore", category=SecurityWarning):
                return jwk.RSAKey.generate_key(int(size or 2048), {"kid": kind})
        case "EC":
            return jwk.ECKey.generate_key(size, {"kid": kind})
        case "OKP":
            return jwk.OKPKey.generate_key(size, {"kid": kind})  # type: ignore[arg-type]
        case _:
            return jwk.OctKey.generate_key(512, {"kid": kind})


KINDS = {
    **dict.fromkeys(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"], "RSA"),
    "ES256": "EC P-256",
    "ES384": "EC P-384",
    "ES512": "EC P-521",
    "EdDSA": "OKP Ed25519",
}


def public(*keys: jwk.Key) -> dict[str, Any]:
    return {"keys": [each.as_dict(private=False) for each in keys]}


def metadata_of(url: str) -> dict[str, Any]:
    return {
        "issuer": url,
        "authorization_endpoint": f"{url}/authorize",
        "token_endpoint": f"{url}/token",
        "userinfo_endpoint": f"{url}/userinfo",
        "jwks_uri": f"{url}/keys",
    }


def issuer_with(key_set: Any, url: str = ISSUER, aliases: tuple[str, ...] = ()) -> UpstreamIssuer:
    """An issuer that publishes these keys; asking it for anything else fails."""
    pages = {f"{url}/.well-known/openid-configuration": metadata_of(url), f"{url}/keys": key_set}
    return UpstreamIssuer(url, pages.__getitem__, aliases)


def good_claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": CLIENT_ID, "sub": "1", "nonce": NONCE}
    return {**claims, "iat": now, "exp": now + 300, **changes}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in good_claims().items() if key != name}


def segment(data: object) -> bytes:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def sign(claims: object, signer: Signer | None = None, **header: Any) -> str:
    """A JWT with exactly this header and content, well signed."""
    algorithm, private = signer or Signer("RS256", key("RSA"))
    header = {"alg": algorithm, "kid": private.kid, **header}
    header = {name: value for name, value in header.items() if value is not None}
    signed = segment(header) + b"." + segment(claims)
    model = jws.JWSRegistry.algorithms[algorithm]
    return (signed + b"." + segment(model.sign(signed, private))).decode()


def check(issuer: UpstreamIssuer, token: object) -> VerifiedClaims:
    return issuer.verify_id_token(
        token, client_id=CLIENT_ID, nonce=NONCE, access_token=ACCESS_TOKEN
    )


def assert_not_believed(token: object, *keys: jwk.Key) -> None:
    with pytest.raises(ProviderError):
        check(issuer_with(public(*(keys or [key("RSA")]))), token)


def test_a_good_id_token_is_believed():
    claims = good_claims(name="Ada", at_hash=None)
    del claims["at_hash"]
    assert check(issuer_with(public(key("RSA"))), sign(claims)) == claims


HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_every_allowed_algorithm_is_understood_with_its_at_hash(algorithm):
    """Okta, Keycloak, Microsoft and others sign with more than RS256. The hash is the one of the
    algorithm (OpenID Connect Core 3.1.3.6); of Ed25519 that is SHA-512."""
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
def test_a_shared_secret_signs_nothing(algorithm, secret):
    """Not even where the issuer publishes one; nor is a public key a secret."""
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
def test_an_rsa_key_that_is_too_short_is_no_key():
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
def test_what_must_be_understood_is_refused_because_it_is_not(header):
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
    """jku, x5u and jwk header injection. To fetch what they name would fail here."""
    assert_not_believed(sign(good_claims(), Signer("RS256", STRANGER), kid=kid, **header))


@pytest.mark.parametrize(
    "header", [*KEYS_IN_A_HEADER, {"x5t": "abc"}, {"x5t#S256": "abc"}, {"typ": "JWT"}, {"a": [1]}]
)
def test_headers_of_other_makers_are_let_by_unread(header):
    """Microsoft sends x5t in every id_token."""
    assert check(issuer_with(public(key("RSA"))), sign(good_claims(), **header))


def test_without_a_key_id_the_only_key_is_meant():
    token = sign(good_claims(), kid=None)
    assert check(issuer_with(public(key("RSA"))), token)
    assert_not_believed(token, key("RSA"), key("EC P-256"))


@pytest.mark.parametrize("kid", [5, True, ["RSA"], {"RSA": 1}, "", "rsa", "RSA ", "\ud800"])
def test_a_key_id_is_compared_as_it_is(kid):
    assert_not_believed(sign(good_claims(), kid=kid))


def test_a_changed_letter_is_noticed():
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
def test_what_is_no_jwt_is_refused(token):
    assert_not_believed(token)


def test_a_token_of_absurd_length_is_refused():
    assert_not_believed(sign(good_claims(name="x" * 70_000)))
    assert_not_believed(sign(good_claims(), a="x" * 10_000))


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"null", b"[]", b"1", b'"text"', b"\xff", b"[" * 10_000, b'{"a":' * 10_000],
    ids=lambda content: ascii(content[:8]),
)
def test_content_that_is_no_object_is_refused(content):
    assert_not_believed(sign(content))


# Its claims.


@pytest.mark.parametrize("iss", ["https://accounts.google.com", "accounts.google.com"])
def test_google_may_name_itself_in_both_its_forms(iss):
    """Both are documented; allauth takes only the first."""
    google = PROVIDERS["google"]
    issuer = issuer_with(public(key("RSA")), str(google.issuer), google.issuer_aliases)
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
def test_and_in_no_other(iss):
    google = PROVIDERS["google"]
    issuer = issuer_with(public(key("RSA")), str(google.issuer), google.issuer_aliases)
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
        ({"aud": [CLIENT_ID, "other"]}, False),
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
def test_the_audience_is_this_client(changes, good):
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
    ],
)
def test_clocks_may_differ_by_a_minute(name, seconds, good):
    token = sign(good_claims(**{name: time.time() + seconds}))
    if good:
        assert check(issuer_with(public(key("RSA"))), token)
    else:
        assert_not_believed(token)


@pytest.mark.parametrize("name", ["exp", "iat"])
@pytest.mark.parametrize("odd", [None, True, False, "1795200000", [], {}, float("nan")])
def test_a_time_is_a_number(name, odd):
    assert_not_believed(sign(good_claims(**{name: odd})))


@pytest.mark.parametrize("name", ["sub", "nonce", "at_hash"])
@pytest.mark.parametrize("odd", [None, "", True, 1, ["1"], {"1": 1}, "of-another-flow\0", "\ud800"])
def test_what_ties_a_token_to_its_flow_is_compared_as_text(name, odd):
    if (name, odd) in (("sub", "of-another-flow\0"), ("sub", "\ud800")):
        return  # texts; whether they may be a subject is the profile's to say
    assert_not_believed(sign(good_claims(**{name: odd})))


@pytest.mark.parametrize("name", ["iss", "aud", "exp", "iat", "sub", "nonce"])
def test_every_claim_of_the_standard_is_required(name):
    assert_not_believed(sign(without(name)))


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(["iss", "aud", "azp", "sub", "exp", "iat", "nonce", "at_hash", "nbf"]),
        JSON_VALUES | st.sampled_from([ISSUER, CLIENT_ID, NONCE, 10**400, -(10**400), 1e999]),
        max_size=3,
    )
)
@settings(max_examples=100, deadline=None)
def test_whatever_an_issuer_signs_is_believed_or_its_fault(changes):
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
def test_whatever_stands_in_a_header_an_unsigned_token_is_refused(header, signature):
    parts = (segment(header), segment(good_claims()), segment(signature))
    assert_not_believed(b".".join(parts).decode(), key("RSA"), key("EC P-256"))


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
def test_a_key_of_an_unknown_kind_does_not_spoil_the_set(changes):
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


def test_a_key_for_encryption_is_no_key_to_choose_from():
    """Keycloak publishes one beside the key that signs."""
    for_encryption = {**key("RSA").as_dict(private=False), "kid": "other", "use": "enc"}
    rows = [for_encryption, *public(key("EC P-256"))["keys"]]
    signer = Signer("ES256", key("EC P-256"))
    assert check(issuer_with({"keys": rows}), sign(good_claims(), signer, kid=None))
    with pytest.raises(ProviderError):
        check(issuer_with({"keys": rows}), sign(good_claims(), kid="other"))


def test_a_key_without_id_is_known_by_its_thumbprint():
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
def test_whatever_stands_in_a_key_set_the_good_key_is_found(rows):
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
def test_whatever_stands_in_metadata_can_be_used_or_is_refused(changes):
    """What passes goes into a Location header and into requests."""
    pages = {f"{ISSUER}/.well-known/openid-configuration": metadata_of(ISSUER) | changes}
    try:
        metadata = UpstreamIssuer(ISSUER, pages.__getitem__).metadata()
    except ProviderError:
        return
    for url in (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri):
        assert check_endpoint(url) == url
        assert requests.Request("GET", url).prepare().url
        assert redirect(f"{url}?state=x").headers["Location"].startswith("https://")


# What is read from afar.


class Afar:
    """Something to read that can fail, and counts its readers."""

    def __init__(self) -> None:
        self.failure: ProviderError | None = None
        self.reads = 0
        self.gate = threading.Event()
        self.gate.set()

    def read(self) -> str:
        self.reads += 1
        assert self.gate.wait(5)
        if self.failure:
            raise self.failure
        return f"copy {self.reads}"


def all_at_once(count: int, act: Callable[[], object], begun: Callable[[], None]) -> list[object]:
    """What each of so many threads gets, a ProviderError among it."""
    got: list[object] = []

    def one() -> None:
        try:
            got.append(act())
        except ProviderError as error:
            got.append(error)

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    begun()
    for thread in threads:
        thread.join()
    return got


@pytest.mark.parametrize("failure", [None, ProviderDown("away", timed_out=True)], ids=repr)
def test_of_many_who_ask_at_once_one_reads(failure):
    """And when it fails, the others do not wait one after the other for the same failure."""
    afar = Afar()
    afar.failure = failure
    afar.gate.clear()
    got = all_at_once(10, Cached(afar.read).get, afar.gate.set)
    assert afar.reads == 1
    if failure is None:
        assert got == ["copy 1"] * 10
        return
    assert len({id(error) for error in got}) == 10, "a raised exception belongs to one thread"
    for error in got:
        assert isinstance(error, ProviderDown)
        assert (error.status, error.detail) == (504, "away")


def test_a_failure_stands_for_a_moment_and_is_then_tried_again(clock):
    afar = Afar()
    cached = Cached(afar.read)
    afar.failure = ProviderError("broken")
    for _ in range(3):
        with pytest.raises(ProviderError, match="broken"):
            cached.get()
    assert afar.reads == 1
    afar.failure = None
    clock.later(FAILURE_SECONDS)
    assert cached.get() == "copy 2"


def test_a_copy_is_kept_renewed_and_served_stale(clock):
    afar = Afar()
    cached = Cached(afar.read)
    assert [cached.get(), cached.get(), cached.renew()] == ["copy 1"] * 3
    clock.later(COOL_DOWN_SECONDS)
    assert [cached.renew(), cached.renew(), cached.get()] == ["copy 2"] * 3
    afar.failure = ProviderError("broken")
    clock.later(LIFETIME_SECONDS)
    assert [cached.get(), cached.get()] == ["copy 2"] * 2
    assert afar.reads == 3
    clock.later(RETRY_SECONDS)
    assert cached.get() == "copy 2"
    assert afar.reads == 4
    afar.failure = None
    clock.later(RETRY_SECONDS)
    assert cached.get() == "copy 5"


def test_those_who_have_a_copy_do_not_wait_for_one_who_renews_it(clock):
    afar = Afar()
    cached = Cached(afar.read)
    cached.get()
    clock.later(COOL_DOWN_SECONDS)
    afar.gate.clear()
    renewing = threading.Thread(target=cached.renew)
    renewing.start()
    while afar.reads < 2:
        time.sleep(0.001)
    assert cached.get() == "copy 1"
    afar.gate.set()
    renewing.join()
    assert cached.get() == "copy 2"


def test_what_metadata_say_is_what_is_used():
    pages: Mapping[str, Any] = {
        f"{ISSUER}/.well-known/openid-configuration": metadata_of(ISSUER)
        | {"authorization_response_iss_parameter_supported": True, "unknown": [1]}
    }
    assert UpstreamIssuer(ISSUER, pages.__getitem__).metadata() == Metadata(
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=f"{ISSUER}/token",
        jwks_uri=f"{ISSUER}/keys",
        userinfo_endpoint=f"{ISSUER}/userinfo",
        revocation_endpoint=None,
        client_auth="basic",
        sends_iss=True,
    )


def test_an_issuer_with_a_path_is_looked_up_below_it():
    """OpenID Connect Discovery 4.1: a slash at the end is taken away first."""
    for url in ("https://a.example/realms/one", "https://a.example/realms/one/"):
        where = "https://a.example/realms/one/.well-known/openid-configuration"
        assert UpstreamIssuer(url, {where: metadata_of(url)}.__getitem__).metadata()
