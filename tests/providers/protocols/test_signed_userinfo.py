"""Userinfo as a signed JWT (OpenID Connect Core 5.3.2)."""

import pytest

from tests.site import Site, Sites

ANNOUNCED = {"userinfo_signing_alg_values_supported": ["RS256", "ES256"]}


@pytest.fixture
def site(make_site: Sites) -> Site:
    site = make_site(look_alikes=("acme", "globex"), OIDC_ACME_TRUST_EMAIL="1")
    site.simulator.acme.tells_in_id_token = False
    site.simulator.acme.metadata_changes = ANNOUNCED
    return site


def test_signed_userinfo_is_read_if_the_metadata_announce_it(site):
    browser = site.browser()
    assert browser.sign_in("acme", "ada", behave="userinfo:jwt").path == "/account"
    assert site.rows("SELECT email, email_verified FROM oauth") == [("ada@gmail.com", 1)]


def test_signed_userinfo_needs_neither_issuer_nor_audience_nor_times(site):
    acme = site.simulator.acme
    acme.userinfo_jwt = lambda claims: acme.sign({"sub": claims["sub"], "email": claims["email"]})
    assert site.browser().sign_in("acme", "ada", behave="userinfo:jwt").path == "/account"
    assert site.rows("SELECT email FROM oauth") == [("ada@gmail.com",)]


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "1"},
        {"iss": "https://evil.example"},
        {"aud": "another-client"},
        {"exp": 1_700_000_000},
    ],
    ids=str,
)
def test_signed_userinfo_of_another_or_expired_is_refused(site, caplog, claims):
    site.simulator.acme.userinfo_claims = claims
    assert site.browser().sign_in("acme", "ada", behave="userinfo:jwt").status == 502
    assert site.user_count() == 0
    assert "userinfo is" in caplog.text


@pytest.mark.parametrize("flaw", ["of another issuer's key", "unsigned", "encrypted", "no JWT"])
def test_userinfo_with_a_bad_signature_is_refused(site, flaw):
    acme, globex = site.simulator.acme, site.simulator.globex
    acme.userinfo_jwt = {
        "of another issuer's key": globex.sign,
        "unsigned": lambda claims: acme.spoil("alg_none", claims),
        "encrypted": lambda _claims: "a.b.c.d.e",
        "no JWT": lambda _claims: "\xe9",
    }[flaw]
    assert site.browser().sign_in("acme", "ada", behave="userinfo:jwt").status == 502
    assert site.user_count() == 0


@pytest.mark.parametrize("said", [None, [], ["none"], "RS256"])
def test_a_signed_userinfo_that_is_not_announced_is_named_in_the_log(site, caplog, said):
    site.simulator.acme.metadata_changes = {"userinfo_signing_alg_values_supported": said}
    assert site.browser().sign_in("acme", "ada", behave="userinfo:jwt").status == 502
    assert "userinfo_signing_alg_values_supported" in caplog.text
