"""An issuer's metadata: checked before use, kept, and still used when the issuer fails."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from errors import ProviderError
from providers.http.cache import (
    FAILURE_SECONDS,
    LIFETIME_SECONDS,
    RETRY_SECONDS,
)
from providers.protocols.metadata import Metadata
from providers.protocols.upstream_issuer import UpstreamIssuer
from simulator.misbehaviour import ANSWERS
from tests.providers.protocols.id_tokens import (
    ISSUER,
    SOME_ODD_ANSWERS,
    assert_refused,
    metadata_of,
)

ODD_ANSWERS = sorted(set(ANSWERS) - {"slow", "drip"})


def test_metadata_is_read_on_first_use_only(site, browser):
    assert browser.get("/login").status == 200
    assert browser.sign_in("github", "grace").path == "/account"
    assert site.simulator.google.seen == []


@pytest.mark.parametrize("answer", ODD_ANSWERS)
def test_a_broken_issuer_does_not_affect_the_others(make_site, clock, answer):
    """A provider that is down must not stop the server from starting."""
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


@pytest.mark.parametrize("what", ["metadata_answer", "certs_answer"])
def test_a_callback_just_after_the_issuer_returned_signs_in(site, what):
    """Its code works once, so a failure that others met a moment ago does not count."""
    browser, google = site.browser(), site.simulator.google
    callback = browser.choose(browser.begin("google"), "ada")
    site.restart()
    setattr(google, what, "status_500")
    refused = site.browser()
    if what == "metadata_answer":
        assert refused.get("/login/google").status == 502
    else:
        assert refused.sign_in("google", "grace").status == 502
        assert google.seen.count("token") == 0, "the code was spent in vain"
    setattr(google, what, "")
    assert browser.get(callback).path == "/account"


@pytest.mark.parametrize("answer", ["slow", "drip"])
def test_an_issuer_that_never_answers_is_abandoned_within_the_time_limit(
    browser, site, monkeypatch, answer
):
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
def test_metadata_of_another_issuer_is_refused(browser, site, clock, issuer):
    """OpenID Connect Discovery 4.3: otherwise one issuer could speak for another."""
    google = site.simulator.google
    named = json.loads(json.dumps(issuer).replace("{}", google.url))
    google.metadata_changes = {"issuer": named}
    assert_refused(browser.get("/login/google"))
    google.metadata_changes = {}
    clock.later(FAILURE_SECONDS)
    assert browser.sign_in("google", "ada").path == "/account"


@pytest.mark.parametrize(
    ("named", "remedy"),
    [
        (f"{ISSUER}/", f"; set ISSUER={ISSUER}/"),
        ("https://login.example", "; if you mean that one, set ISSUER=https://login.example"),
        ("https://a.example/\r\nforged=line", "; its operator must mend that"),
        (None, "; its operator must mend that"),
    ],
)
def test_the_log_names_both_issuers_and_what_to_write_instead(named, remedy):
    metadata = metadata_of(ISSUER) | {"issuer": named}
    issuer = UpstreamIssuer(ISSUER, lambda _url: metadata)
    with pytest.raises(ProviderError) as caught:
        issuer.metadata()
    said = f"the metadata name another issuer: {named!a}, while ISSUER is {ISSUER}"
    assert caught.value.detail == said + remedy
    assert caught.value.detail.isprintable()


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
def test_an_invalid_or_unencrypted_endpoint_is_refused(name, bad):
    """Code, secret and access token are sent there; http is for loopback only."""
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
def test_no_browser_is_redirected_to_a_bad_endpoint(browser, site, bad):
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
def test_old_metadata_and_keys_are_used_while_new_ones_cannot_be_read(site, clock, answer):
    google, browser = site.simulator.google, site.browser()
    assert browser.sign_in("google", "ada").path == "/account"
    google.metadata_answer = google.certs_answer = answer
    clock.later(LIFETIME_SECONDS)
    google.seen.clear()
    for _ in range(2):
        assert browser.sign_in("google", "ada").path == "/account"
    # The transport retries once after a broken connection.
    tries = 2 if answer == "hang_up" else 1
    assert (google.seen.count("metadata"), google.seen.count("certs")) == (tries, tries)
    google.metadata_answer = google.certs_answer = ""
    clock.later(RETRY_SECONDS)
    google.seen.clear()
    for _ in range(2):
        assert browser.sign_in("google", "ada").path == "/account"
    assert (google.seen.count("metadata"), google.seen.count("certs")) == (1, 1)


def test_bad_metadata_does_not_replace_good_metadata(browser, site, clock):
    assert browser.sign_in("google", "ada").path == "/account"
    site.simulator.google.metadata_changes = {"token_endpoint": "http://a.example/"}
    clock.later(LIFETIME_SECONDS)
    assert browser.sign_in("google", "ada").path == "/account"
    assert site.simulator.google.seen.count("metadata") == 2


def test_the_endpoints_of_the_metadata_are_used():
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
        client_auth_methods=("client_secret_basic",),
        sends_iss=True,
    )


def test_an_issuer_with_a_path_is_looked_up_below_it():
    """OpenID Connect Discovery 4.1: a trailing slash is removed first."""
    for url in ("https://a.example/realms/one", "https://a.example/realms/one/"):
        where = "https://a.example/realms/one/.well-known/openid-configuration"
        assert UpstreamIssuer(url, {where: metadata_of(url)}.__getitem__).metadata()
