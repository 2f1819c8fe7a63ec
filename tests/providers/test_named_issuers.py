"""OpenID Connect issuers declared in OIDC_PROVIDERS: settings, and sign-ins with issuers of all
kinds."""

import json
from typing import Any

import pytest

import config
from config.settings import Settings
from errors import SettingsError
from keys.jwk_set import ALGORITHMS
from providers import PROVIDERS
from simulator.clients import Client
from tests.browser import query_of
from tests.site import Site, Sites

ACME = {
    "OIDC_PROVIDERS": "acme",
    "OIDC_ACME_ISSUER": "https://id.acme.example",
    "OIDC_ACME_CLIENT_ID": "quickstep",
    "OIDC_ACME_CLIENT_SECRET": "secret",
}


@pytest.fixture
def site(make_site: Sites) -> Site:
    return make_site(look_alikes=("acme", "google"))


def load(**variables: str) -> Settings:
    return config.load(PROVIDERS.values(), variables, None)


def faults(**variables: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(**variables)
    return caught.value.faults


def row_of(site: Site) -> Any:
    (row,) = site.rows("SELECT * FROM oauth")
    return row


# Settings.


def test_a_declared_issuer_is_configured_by_variables():
    client = load(**ACME).registrations["acme"]
    assert (client.issuer, client.client_id, client.secret) == (
        "https://id.acme.example",
        "quickstep",
        "secret",
    )
    assert not client.trust_email
    assert client.label is None


def test_missing_settings_of_a_declared_issuer_are_named():
    assert faults(OIDC_PROVIDERS="acme") == [
        "OIDC_ACME_CLIENT_ID: missing, while OIDC_PROVIDERS names it"
    ]
    assert faults(OIDC_PROVIDERS="acme", OIDC_ACME_CLIENT_ID="x") == ["OIDC_ACME_ISSUER: missing"]


@pytest.mark.parametrize("name", ["google", "confirm", "github", "acme,acme", "acme,google"])
def test_a_declared_issuer_cannot_take_a_used_name(name):
    found = faults(**{**ACME, "OIDC_PROVIDERS": name})
    assert any("is the name of something else" in fault for fault in found)


@pytest.mark.parametrize(
    "name", ["Acme", "1acme", "acme-id", "acme.id", "a/b", "é", "_a", "a" * 32]
)
def test_a_declared_issuers_name_must_fit_in_a_path_and_in_variables(name):
    assert any("must be a-z, 0-9 and _" in each for each in faults(OIDC_PROVIDERS=name))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OIDC_ACME_ISSUER", "http://id.acme.example"),
        ("OIDC_ACME_ISSUER", "id.acme.example"),
        ("OIDC_ACME_ISSUER", "https://user:pw@id.acme.example"),
        ("OIDC_ACME_ISSUER", "https://id.acme.example/.well-known/openid-configuration"),
        ("OIDC_ACME_SCOPE", "email profile"),
        ("OIDC_ACME_LABEL", "x" * 31),
        ("OIDC_ACME_TRUST_EMAIL", "maybe"),
    ],
)
def test_wrong_settings_of_a_declared_issuer_are_named(variable, value):
    found = faults(**{**ACME, variable: value})
    assert [fault.partition(":")[0] for fault in found] == [variable]
    assert "pw" not in found[0]


def test_the_provider_order_may_name_a_declared_issuer():
    assert load(**ACME, PROVIDERS="acme,google").providers == ("acme", "google")


# Signing in.


def test_a_user_of_a_declared_issuer_signs_in(site):
    browser = site.browser()
    assert "Continue with Acme" in browser.get("/login").buttons
    assert browser.sign_in("acme", "ada").path == "/account"
    row = row_of(site)
    assert (row.provider, row.issuer) == ("acme", f"{site.simulator.url}/acme")
    assert row.subject == "user-ada"


def test_a_declared_issuers_button_has_the_configured_label(make_site):
    site = make_site(look_alikes=("acme",), OIDC_ACME_LABEL="Acme & Söhne")
    assert "Continue with Acme & Söhne" in site.browser().get("/login").buttons


def test_two_buttons_never_have_the_same_label(make_site):
    site = make_site(look_alikes=("google", "acme"), OIDC_ACME_LABEL="Google")
    buttons = site.browser().get("/login").buttons
    assert buttons == ["Continue with Google", "Continue with Google (acme)"]


def test_a_declared_issuers_addresses_are_trusted_only_if_configured(make_site):
    site = make_site(look_alikes=("acme", "google"), ACCOUNT_LINKING="auto")
    site.browser().sign_in("google", "ada")
    apart = site.browser()
    apart.sign_in("acme", "ada")
    assert apart.providers() == ["acme"]
    site.execute("DELETE FROM users WHERE id = :id", id=apart.user_id)
    site.restart(OIDC_ACME_TRUST_EMAIL="1")
    browser = site.browser()
    assert browser.sign_in("acme", "ada").path == "/account"
    assert browser.providers() == ["acme", "google"]


@pytest.mark.parametrize(("trust", "verified"), [("0", 0), ("1", 1)])
def test_the_verified_flag_is_stored_as_the_setting_trusts_it(make_site, trust, verified):
    site = make_site(look_alikes=("acme",), OIDC_ACME_TRUST_EMAIL=trust)
    site.browser().sign_in("acme", "ada")
    assert row_of(site).email_verified == verified
    assert row_of(site).email_trusted == verified


@pytest.mark.parametrize("flag", [None, False, "false", "yes", 1])
def test_a_missing_verified_flag_is_false_even_for_a_trusted_issuer(make_site, monkeypatch, flag):
    site = make_site(look_alikes=("acme",), OIDC_ACME_TRUST_EMAIL="1")
    acme = site.simulator.acme
    said = {"name": "Ada", "email": "ada@gmail.com", "email_verified": flag}
    said = {name: value for name, value in said.items() if value is not None}
    monkeypatch.setattr(acme, "in_id_token", lambda _code: said)
    site.browser().sign_in("acme", "ada")
    assert (row_of(site).email, row_of(site).email_verified) == ("ada@gmail.com", 0)


# The id_token and userinfo.


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_id_tokens_signed_with_each_allowed_algorithm_are_accepted(site, algorithm):
    site.simulator.acme.rotate(algorithm)
    assert site.browser().sign_in("acme", "ada").path == "/account"
    page = site.browser().sign_in("acme", "ada", behave="id_token:other_at_hash")
    assert page.status == 502


@pytest.mark.parametrize("flaw", ["alg_none", "alg_none_signed_by_nobody", "hs256_with_public_key"])
def test_id_tokens_signed_with_none_or_a_shared_secret_are_refused(site, flaw):
    page = site.browser().sign_in("acme", "ada", behave=f"id_token:{flaw}")
    assert page.status == 502
    assert site.user_count() == 0


def test_new_keys_of_a_declared_issuer_are_found(site, monkeypatch):
    monkeypatch.setattr("providers.http.cache.COOL_DOWN_SECONDS", 0)
    for algorithm in ("RS256", "ES256", "EdDSA"):
        site.simulator.acme.rotate(algorithm)
        assert site.browser().sign_in("acme", "ada").path == "/account"
    assert site.simulator.acme.seen.count("certs") == 3


def test_claims_may_be_in_userinfo_only(make_site):
    site = make_site(look_alikes=("acme",), OIDC_ACME_TRUST_EMAIL="1")
    site.simulator.acme.tells_in_id_token = False
    site.browser().sign_in("acme", "ada")
    row = row_of(site)
    assert (row.email, row.email_verified) == ("ada@gmail.com", 1)
    assert json.loads(row.profile)["name"] == "Ada Lovelace"


def test_the_callback_of_a_declared_issuer_must_name_it(site):
    """RFC 9207: Acme announces the parameter, so it must be there."""
    browser = site.browser()
    callback = browser.choose(browser.begin("acme"), "ada")
    assert query_of(callback)["iss"] == site.simulator.acme.url
    for bad in ("https://evil.example", "", None):
        query = query_of(callback) | {"iss": bad}
        params = {name: value for name, value in query.items() if value is not None}
        page = browser.get("/login/acme/authorized", params=params)
        assert (page.status, page.alert) == (400, "We couldn't match that sign-in")
        callback = browser.choose(browser.begin("acme"), "ada")
    assert site.user_count() == 0


# Several issuers.


def test_a_declared_issuer_that_is_down_does_not_affect_the_others(make_site):
    site = make_site(look_alikes=("acme", "globex", "google"))
    site.restart(OIDC_ACME_ISSUER="http://127.0.0.1:9")
    browser = site.browser()
    assert "Continue with Acme" in browser.get("/login").buttons
    page = browser.get("/login/acme")
    assert (page.status, page.alert) == (502, "Acme isn't answering")
    assert browser.sign_in("globex", "ada").path == "/account"
    assert "metadata" not in site.simulator.acme.seen


def test_the_same_subject_at_two_declared_issuers_is_two_users(make_site):
    site = make_site(look_alikes=("acme", "globex"))
    first, second = site.browser(), site.browser()
    first.sign_in("acme", "noa")
    second.sign_in("globex", "noa")
    assert first.user_id != second.user_id
    assert len(site.rows("SELECT id FROM oauth WHERE subject = 'user-noa'")) == 2


def test_pointing_a_name_at_another_issuer_opens_no_old_account(make_site):
    """docs/decisions/0004: subject 1 at one issuer is not subject 1 at another."""
    site = make_site(look_alikes=("acme", "globex"))
    site.browser().sign_in("acme", "noa")
    globex = site.simulator.globex
    site.restart(
        OIDC_PROVIDERS="acme",
        OIDC_ACME_ISSUER=globex.url,
        OIDC_ACME_CLIENT_ID=globex.client.client_id,
        OIDC_ACME_CLIENT_SECRET=globex.client.client_secret,
    )
    globex.client = Client(
        globex.client.client_id,
        globex.client.client_secret,
        (f"{site.url}/login/acme/authorized",),
    )
    assert site.browser().sign_in("acme", "noa").path == "/account"
    assert site.user_count() == 2


def test_a_token_of_one_declared_issuer_is_refused_by_another(make_site):
    """Mix-up attack: a code of one issuer is never sent to another."""
    site = make_site(look_alikes=("acme", "globex"))
    browser = site.browser()
    callback = browser.choose(browser.begin("acme"), "ada")
    page = browser.get(callback.replace("/login/acme/", "/login/globex/"))
    assert page.status == 400
    assert site.simulator.globex.seen.count("token") == 0
