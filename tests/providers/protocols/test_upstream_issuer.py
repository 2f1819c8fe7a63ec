"""An issuer that we trust cannot send our requests elsewhere, or let others' people in."""

import pytest

from errors import ProviderError
from providers import PROVIDERS
from providers.parts import OpenIDConnect
from providers.protocols.upstream_issuer import UpstreamIssuer

ISSUER = "https://idp.example"
NAMES = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")


@pytest.mark.parametrize("name", [*NAMES, "revocation_endpoint"])
@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:6379/", "https://localhost/x", "http://[::1]:8080/admin"]
)
def test_a_remote_issuer_cannot_name_loopback_endpoints(name, url):
    """SSRF, Logto CVE-2026-56739; the client secret would be sent there unencrypted."""
    metadata = {"issuer": ISSUER, **{each: f"{ISSUER}/{each}" for each in NAMES}, name: url}
    with pytest.raises(ProviderError, match="on this machine"):
        UpstreamIssuer(ISSUER, lambda _url: metadata).metadata()


def test_the_organizations_tenant_refuses_personal_accounts():
    microsoft = PROVIDERS["microsoft"].protocol
    assert isinstance(microsoft, OpenIDConnect)
    any_tenant = microsoft.any_tenant
    base = "https://login.microsoftonline.com"
    personal = "9188040d-6c67-4c5b-b112-36a304b66dad"
    company = "5f0c1d2e-1111-4222-8333-abcdefabcdef"
    for name, lets_in in (("common", True), ("organizations", False)):
        issuer = UpstreamIssuer(f"{base}/{name}/v2.0", lambda _url: {}, any_tenant=any_tenant)
        assert issuer.accepts(f"{base}/{company}/v2.0", company)
        assert issuer.accepts(f"{base}/{personal}/v2.0", personal) is lets_in
