"""``providers check``: what an issuer demands and we cannot do, by its metadata and its answers."""

import pytest

from tests.commands.doctor import line_of, lines

CANNOT = [
    (
        {"id_token_signing_alg_values_supported": ["HS256", "HS512"]},
        "it signs id_tokens with HS256, HS512 only, which is never accepted",
    ),
    (
        {"token_endpoint_auth_methods_supported": ["tls_client_auth"]},
        "it authenticates clients by tls_client_auth only",
    ),
    ({"response_types_supported": ["id_token"]}, "it does not offer the authorization code flow"),
    ({"grant_types_supported": ["implicit"]}, "it does not offer the grant authorization_code"),
    (
        {
            "require_pushed_authorization_requests": True,
            "pushed_authorization_request_endpoint": None,
        },
        "it demands pushed authorization requests (RFC 9126) and names no endpoint",
    ),
    (
        {"token_endpoint_auth_methods_supported": ["private_key_jwt"]},
        "it authenticates clients by private_key_jwt only: set OIDC_ACME_PRIVATE_KEY",
    ),
    ({"require_signed_request_object": True}, "it demands signed request objects"),
]


@pytest.mark.parametrize(("changes", "said"), CANNOT, ids=lambda each: next(iter(each), "")[:40])
def test_the_doctor_names_what_an_issuer_demands_and_we_cannot_do(make_site, changes, said):
    site = make_site(look_alikes=("acme",))
    site.simulator.acme.metadata_changes = changes
    assert said in line_of(lines(site, "acme", status=1), "Acme: it ")


@pytest.mark.parametrize(
    "changes",
    [
        {"id_token_signing_alg_values_supported": ["HS256", "RS256"]},
        {"id_token_signing_alg_values_supported": None, "response_types_supported": "code"},
        {"require_pushed_authorization_requests": False, "grant_types_supported": []},
    ],
)
def test_an_issuer_that_offers_more_than_we_use_passes(make_site, changes):
    site = make_site(look_alikes=("acme",))
    site.simulator.acme.metadata_changes = changes
    assert "ok    Acme: metadata and keys can be read" in lines(site, "acme")


def test_the_doctor_repeats_what_the_provider_says_about_our_client(make_site):
    site = make_site(look_alikes=("acme",), OIDC_ACME_CLIENT_SECRET="of-old")
    line = line_of(lines(site, "acme", status=1), "Acme: refuses the client id")
    assert 'with error invalid_client ("The client secret is wrong.")' in line
