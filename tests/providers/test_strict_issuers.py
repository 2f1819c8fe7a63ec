"""Issuers as banks and health services run them: private_key_jwt (RFC 7523) and pushed
authorization requests (RFC 9126)."""

import base64
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
from joserfc import jwk

import config
from errors import SettingsError
from keys.client_assertion import load_client_key
from providers import PROVIDERS
from providers.http.transport import Transport
from providers.protocols.connectors import build_connectors
from tests.browser import query_of
from tests.commands.doctor import line_of, lines
from tests.processes import until
from tests.providers.test_named_issuers import ACME
from tests.site import Site, Sites


@cache
def private(kind: str) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    if kind == "EC":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, 2048 if kind == "RSA" else 1024)


def pem(kind: str, password: bytes = b"") -> str:
    sealing = BestAvailableEncryption(password) if password else NoEncryption()
    text = private(kind).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealing)
    return text.decode()


def certificate(kind: str) -> x509.Certificate:
    key, now = private(kind), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "quickstep")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return made.sign(key, hashes.SHA256())


def with_key(make_site: Sites, kind: str, **settings: str) -> Site:
    """A site whose client at Acme has no secret, but this key."""
    settings = {"OIDC_ACME_CLIENT_SECRET": "", "OIDC_ACME_PRIVATE_KEY": pem(kind), **settings}
    site = make_site(look_alikes=("acme", "github"), **settings)
    acme = site.simulator.acme
    acme.client_auth = ("private_key_jwt",)
    imported = jwk.ECKey if kind == "EC" else jwk.RSAKey
    acme.client_key = imported.import_key(pem(kind))
    return site


# private_key_jwt.


@pytest.mark.parametrize(
    ("kind", "accepted", "algorithm"),
    [
        ("RSA", ["RS256", "RS512"], "RS256"),
        ("RSA", ["ES256", "PS256"], "PS256"),
        ("RSA", ["RS256", "PS256"], "PS256"),
        ("EC", ["RS256", "ES256"], "ES256"),
    ],
)
def test_a_client_signs_in_with_its_private_key_and_no_secret(make_site, kind, accepted, algorithm):
    site = with_key(make_site, kind)
    site.simulator.acme.assertion_algorithms = accepted
    for person in ("ada", "grace"):
        assert site.browser().sign_in("acme", person).path == "/account"
    (header, claims), (_header, later) = site.simulator.acme.assertions
    assert (header["alg"], claims["aud"]) == (algorithm, f"{site.simulator.acme.url}/token")
    assert header["kid"] == site.simulator.acme.client_key.thumbprint()
    assert claims["jti"] != later["jti"]


def test_an_issuer_that_names_no_algorithms_gets_the_usual_one(make_site):
    site = with_key(make_site, "RSA")
    acme = site.simulator.acme
    acme.metadata_changes = {"token_endpoint_auth_signing_alg_values_supported": None}
    assert site.browser().sign_in("acme", "ada").path == "/account"
    assert acme.assertions[0][0]["alg"] == "RS256"


def test_another_key_than_the_registered_one_is_refused(make_site):
    site = with_key(make_site, "RSA")
    site.simulator.acme.client_key = jwk.RSAKey.generate_key(2048)
    page = site.browser().sign_in("acme", "ada")
    assert page.alert == "Acme sign-in isn't working on this site"
    assert "FAIL  Acme: refuses the client id" in lines(site, "acme", status=1)


def test_a_key_whose_algorithm_the_issuer_does_not_take_is_named(make_site):
    site = with_key(make_site, "EC")
    site.simulator.acme.assertion_algorithms = ["PS256"]
    line = line_of(lines(site, "acme", status=1), "Acme: refuses")
    assert "no client assertion can be signed: ES256 is not among PS256" in line


def test_a_certificate_names_the_key_as_microsoft_asks():
    both = pem("RSA") + certificate("RSA").public_bytes(Encoding.PEM).decode()
    header = load_client_key(both.replace("\n", "\\n"), None).header
    sha256 = base64.urlsafe_b64encode(certificate("RSA").fingerprint(hashes.SHA256()))
    assert set(header) == {"x5t", "x5t#S256"}
    assert len(header["x5t#S256"]) == len(sha256.rstrip(b"="))
    with pytest.raises(ValueError, match="another key"):
        load_client_key(pem("RSA") + certificate("EC").public_bytes(Encoding.PEM).decode(), None)


def test_a_catalogue_provider_may_have_a_key_instead_of_a_secret(make_site):
    site = make_site(look_alikes=("google",), GOOGLE_CLIENT_SECRET="", GOOGLE_PRIVATE_KEY=pem("EC"))
    google = site.simulator.google
    google.client_auth = ("private_key_jwt",)
    google.client_key = jwk.ECKey.import_key(pem("EC"))
    assert site.browser().sign_in("google", "ada").path == "/account"


def test_revocation_authenticates_by_the_key_for_the_issuer_only(make_site):
    """An assertion for one endpoint must be of no use at another server."""
    site = with_key(make_site, "EC")
    acme, browser = site.simulator.acme, site.browser()
    browser.sign_in("acme", "grace")
    browser.link("github", "grace")
    browser.unlink(browser.identity("acme"))
    until(lambda: acme.revoked == ["grace"])
    assert [claims["aud"] for _header, claims in acme.assertions] == [f"{acme.url}/token", acme.url]


BAD = {
    "no PEM": ({"OIDC_ACME_PRIVATE_KEY": "secret"}, "must be a private key in PEM"),
    "basic": (
        {"OIDC_ACME_PRIVATE_KEY": pem("EC"), "OIDC_ACME_CLIENT_AUTH": "basic"},
        "basic needs OIDC_ACME_CLIENT_SECRET",
    ),
    "no key": (
        {"OIDC_ACME_CLIENT_AUTH": "private_key_jwt"},
        "private_key_jwt needs OIDC_ACME_PRIVATE_KEY",
    ),
}


@pytest.mark.parametrize(("variables", "said"), BAD.values(), ids=BAD)
def test_a_private_key_that_cannot_be_used_is_a_fault_of_the_settings(variables, said):
    without = {name: value for name, value in ACME.items() if "SECRET" not in name}
    with pytest.raises(SettingsError, match=said):
        config.load(PROVIDERS.values(), {**without, **variables}, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (pem("short"), "2048 bits"),
        (pem("EC", b"password"), "[Pp]assword"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", ""),
    ],
    ids=["short", "sealed", "broken"],
)
def test_a_server_does_not_start_with_a_key_that_cannot_sign(text, said):
    settings = config.load(PROVIDERS.values(), {**ACME, "OIDC_ACME_PRIVATE_KEY": text}, None)
    transport = Transport()
    with pytest.raises(SettingsError, match=f"OIDC_ACME_PRIVATE_KEY: .*{said}"):
        build_connectors(settings.registrations, (), settings.public_url, transport)
    transport.close()


def test_ed25519_keys_sign_too():
    key = ed25519.Ed25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    assert load_client_key(text, "mine").header == {"kid": "mine"}
    assert load_client_key(text, None).sign({}, ["EdDSA"]).count(".") == 2


# Pushed authorization requests.


def test_an_issuer_that_demands_pushed_requests_gets_them(make_site):
    site = make_site(look_alikes=("acme",))
    acme = site.simulator.acme
    acme.demands_pushed = True
    browser = site.browser()
    url = browser.begin("acme")
    assert set(query_of(url)) == {"client_id", "request_uri"}
    assert browser.get(browser.choose(url, "ada")).path == "/account"
    assert "par" in acme.seen


def test_pushed_requests_are_a_setting_where_they_are_offered(make_site):
    site = make_site(look_alikes=("acme",))
    assert "state" in query_of(site.browser().begin("acme"))
    site.restart(OIDC_ACME_PAR="1")
    browser = site.browser()
    url = browser.begin("acme")
    assert "state" not in query_of(url)
    assert browser.get(browser.choose(url, "ada")).path == "/account"


def test_a_link_and_a_reauthentication_are_pushed_too(make_site):
    site = make_site(look_alikes=("acme", "google"), OIDC_ACME_PAR="1")
    browser = site.browser()
    browser.sign_in("google", "ada")
    browser.link("acme", "ada")
    assert browser.providers() == ["acme", "google"]


def test_pushed_requests_with_a_private_key_are_for_the_issuer(make_site):
    """FAPI 2.0: the audience is the issuer, and nothing else."""
    site = with_key(make_site, "EC", OIDC_ACME_PAR="1")
    assert site.browser().sign_in("acme", "ada").path == "/account"
    acme = site.simulator.acme
    assert [claims["aud"] for _header, claims in acme.assertions] == [acme.url, acme.url]


@pytest.mark.parametrize("answer", ["status_500", "html", "empty_object", "hang_up", "redirect"])
def test_a_pushed_request_that_fails_is_a_page_and_no_redirect(make_site, answer):
    site = make_site(look_alikes=("acme",), OIDC_ACME_PAR="1")
    site.simulator.acme.answers["par"] = answer
    page = site.browser().get("/login/acme")
    assert (page.status, page.location) == (502, "")
    del site.simulator.acme.answers["par"]
    assert site.browser().sign_in("acme", "ada").path == "/account"


def test_the_doctor_checks_the_redirect_uri_of_an_issuer_that_takes_pushed_requests(make_site):
    site = make_site(look_alikes=("acme",), OIDC_ACME_PAR="1")
    assert "ok    Acme: reachable and knows the client" in lines(site, "acme")
    acme = site.simulator.acme
    acme.client = type(acme.client)(acme.client.client_id, acme.client.client_secret, ())
    line = line_of(lines(site, "acme", status=1), "Acme: refuses the client id")
    assert 'invalid_redirect_uri ("The redirect URI is not registered.")' in line


def test_encrypted_id_tokens_stay_refused_and_are_named(capfd, make_site):
    site = make_site(look_alikes=("acme",))
    page = site.browser().sign_in("acme", "ada", behave="id_token:encrypted")
    assert page.status == 502
    assert "the id_token is encrypted, and only signed ones are read here" in capfd.readouterr().err
