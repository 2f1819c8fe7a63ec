"""Client authentication at providers (RFC 6749 2.3.1): which one, its encoding, the doctor."""

import pytest
import requests

import config
from errors import SettingsError
from providers import PROVIDERS
from simulator.clients import Client
from tests.browser import query_of
from tests.commands.doctor import line_of, lines
from tests.processes import until
from tests.providers.test_named_issuers import ACME
from tests.site import Site, Sites


@pytest.fixture
def site(make_site: Sites) -> Site:
    return make_site(look_alikes=("acme",))


def test_a_public_client_sends_a_code_verifier_and_no_secret(make_site):
    site = make_site(look_alikes=("acme",), OIDC_ACME_CLIENT_SECRET="")
    site.simulator.acme.client_auth = ("none",)
    browser = site.browser()
    assert query_of(browser.begin("acme"))["code_challenge_method"] == "S256"
    assert browser.sign_in("acme", "ada").path == "/account"


def test_the_fake_issuer_requires_the_code_verifier_of_a_public_client(site):
    acme = site.simulator.acme
    acme.client_auth = ("none",)
    data = {"grant_type": "authorization_code", "code": "x", "client_id": acme.client.client_id}
    answer = requests.post(acme.url + acme.token_path, data=data, timeout=5)
    assert answer.json()["error"] == "invalid_client"


ODD = Client("a:b c", "ö%&+ =:/?#\"'\\ü", ())


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        (["client_secret_post", "client_secret_basic"], ("basic",)),
        (["client_secret_post"], ("post",)),
        (["client_secret_basic"], ("basic",)),
        (["client_secret_basic", "private_key_jwt"], ("basic",)),
        ([], ("basic",)),
        ("absent", ("basic",)),
    ],
)
def test_the_client_secret_is_sent_by_the_method_in_the_metadata(make_site, offered, taken):
    """RFC 8414 2: client_secret_basic by default. Both parts of the header are form-encoded first,
    because a colon would end the client id."""
    site = make_site(
        look_alikes=("acme",),
        OIDC_ACME_CLIENT_ID=ODD.client_id,
        OIDC_ACME_CLIENT_SECRET=ODD.client_secret,
    )
    acme = site.simulator.acme
    acme.client = Client(ODD.client_id, ODD.client_secret, acme.client.redirect_uris)
    acme.client_auth = taken
    acme.metadata_changes = {"token_endpoint_auth_methods_supported": offered}
    if offered == "absent":
        acme.metadata_changes = {"token_endpoint_auth_methods_supported": None}
    assert site.browser().sign_in("acme", "ada").path == "/account"


@pytest.mark.parametrize("method", ["basic", "post", "none"])
def test_the_setting_decides_how_the_secret_is_sent_whatever_the_metadata_offer(site, method):
    acme = site.simulator.acme
    acme.client_auth = (method,)
    other = "client_secret_basic" if method == "post" else "client_secret_post"
    acme.metadata_changes = {"token_endpoint_auth_methods_supported": [other]}
    assert site.browser().sign_in("acme", "ada").status == 502
    site.restart(OIDC_ACME_CLIENT_AUTH=method)
    assert site.browser().sign_in("acme", "ada").path == "/account"


def test_a_provider_that_documents_post_gets_post_although_basic_is_offered(make_site):
    site = make_site(look_alikes=("gitlab",))
    site.simulator.gitlab.client_auth = ("post",)
    both = ["client_secret_basic", "client_secret_post"]
    site.simulator.gitlab.metadata_changes = {"token_endpoint_auth_methods_supported": both}
    assert site.browser().sign_in("gitlab", "ada").path == "/account"


def test_another_issuer_than_the_documented_one_gets_what_it_offers(make_site):
    site = make_site(look_alikes=("gitlab",))
    site.simulator.gitlab.client_auth = ("basic",)
    assert site.browser().sign_in("gitlab", "ada").path == "/account"


def test_a_plain_oauth_provider_can_be_told_to_take_the_header(make_site):
    site = make_site(look_alikes=("github",), GITHUB_CLIENT_AUTH="basic")
    site.simulator.github.client_auth = ("basic",)
    assert site.browser().sign_in("github", "ada").path == "/account"


@pytest.mark.parametrize("method", ["basic", "post"])
def test_renewal_and_revocation_keep_to_the_same_client_authentication(make_site, method):
    site = make_site(
        look_alikes=("google", "github"), GOOGLE_CLIENT_AUTH=method, GOOGLE_OFFLINE_ACCESS="1"
    )
    google = site.simulator.google
    google.client_auth = (method,)
    browser = site.browser()
    browser.sign_in("google", "grace")
    site.execute("UPDATE oauth SET token_expires_at = '2026-01-01 00:00:00.000000'")
    page = f"/account/identities/{browser.identity('google')}"
    assert browser.post(f"{page}/refresh").message == "Read again from Google."
    browser.link("github", "grace")
    browser.unlink(browser.identity("google"))
    until(lambda: google.revoked == ["grace"])


@pytest.mark.parametrize(
    ("variables", "fault"),
    [
        ({"OIDC_ACME_CLIENT_AUTH": "header"}, "OIDC_ACME_CLIENT_AUTH: "),
        (
            {"OIDC_ACME_CLIENT_AUTH": "basic", "OIDC_ACME_CLIENT_SECRET": ""},
            "OIDC_ACME_CLIENT_AUTH: basic needs OIDC_ACME_CLIENT_SECRET",
        ),
    ],
)
def test_a_client_authentication_that_cannot_be_is_a_fault_of_the_settings(variables, fault):
    with pytest.raises(SettingsError) as caught:
        config.load(PROVIDERS.values(), {**ACME, **variables}, None)
    assert [each.startswith(fault) for each in caught.value.faults] == [True]


@pytest.mark.parametrize(("taken", "set_to"), [("post", ""), ("basic", "post"), ("none", "")])
def test_the_doctor_finds_the_client_authentication_that_works(make_site, taken, set_to):
    """RFC 6749 5.2: invalid_client says nothing about the reason."""
    site = make_site(look_alikes=("acme",), OIDC_ACME_CLIENT_AUTH=set_to)
    acme = site.simulator.acme
    acme.client_auth = (taken,)
    both = ["client_secret_post", "client_secret_basic"]
    acme.metadata_changes = {"token_endpoint_auth_methods_supported": both}
    line = line_of(lines(site, "acme", status=1), "Acme: the token endpoint answered 401")
    assert f"set OIDC_ACME_CLIENT_AUTH={taken}" in line
    site.restart(OIDC_ACME_CLIENT_AUTH=taken)
    named = "none" if taken == "none" else f"client_secret_{taken}"
    assert f"ok    Acme: reachable and knows the client by {named};" in lines(site, "acme")


def test_the_doctor_blames_the_secret_if_no_client_authentication_works(site):
    site.restart(OIDC_ACME_CLIENT_SECRET="wrong")
    output = lines(site, "acme", status=1)
    assert "FAIL  Acme: refuses the client id, secret or redirect URI" in output
    assert "CLIENT_AUTH" not in output
