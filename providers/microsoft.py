"""Microsoft: work, school and personal accounts, OpenID Connect.
https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc"""

import re

from config.registrations import Registration
from providers.base import Get, Profile, Provider
from providers.microsoft_access import CRITERIA
from providers.parts import GUID, EmailTrust, OpenIDConnect
from providers.profile import claims_with_userinfo, make_profile

# The tenant of all personal accounts.
PERSONAL_ACCOUNTS = "9188040d-6c67-4c5b-b112-36a304b66dad"
ANY_TENANT = {"common": (), "organizations": (PERSONAL_ACCOUNTS,)}
# The name in the address of personal accounts; their issuer has the id.
CONSUMERS = "consumers"
ISSUER_END = re.compile(rf"/({GUID.pattern}|{'|'.join(ANY_TENANT)})/v2\.0\Z")


def profile(get: Get) -> Profile:
    """The subject is tenant and object id: ``sub`` differs per application.

    An address is whatever the tenant's administrator wrote, unless the optional claim xms_edov says
    that its domain was verified.
    https://learn.microsoft.com/entra/identity-platform/migrate-off-email-claim-authorization
    """
    claims = claims_with_userinfo(get, needs=("name",))
    proved = claims.get("xms_edov") in (True, 1, "1", "true")
    return make_profile(
        subject=_subject(claims.get("iss"), claims.get("tid"), claims.get("oid")),
        email=claims.get("email"),
        email_verified=proved,
        email_trusted=proved,
        name=claims.get("name"),
        username=claims.get("preferred_username"),
    )


def _subject(issuer: object, tenant: object, person: object) -> str | None:
    """Check the tenant: all tenants sign with the same keys, so one must not vouch for another's
    people."""
    if not isinstance(issuer, str) or not isinstance(tenant, str) or not isinstance(person, str):
        return None
    return f"{tenant}|{person}" if person and issuer.endswith(f"/{tenant}/v2.0") else None


def check_registration(registration: Registration) -> list[str]:
    """Check that a tenant is named by its id: metadata requested by any other name contain that id
    too."""
    if registration.issuer is None or ISSUER_END.search(canonical_issuer(registration.issuer)):
        return []
    ends = "/common/v2.0, /organizations/v2.0, /consumers/v2.0 or /<tenant id>/v2.0"
    return [f"MICROSOFT_ISSUER: must end in {ends}; a tenant's id is on its Overview page"]


def canonical_issuer(url: str) -> str:
    """Return the issuer as tokens name it: without a slash at its end, a tenant's id in lower case,
    and the id of the tenant that ``consumers`` stands for."""
    *before, tenant, version = url.rstrip("/").split("/")
    tenant = PERSONAL_ACCOUNTS if tenant == CONSUMERS else tenant
    tenant = tenant.lower() if GUID.fullmatch(tenant.lower()) else tenant
    return "/".join([*before, tenant, version])


MICROSOFT = Provider(
    name="microsoft",
    label="Microsoft",
    verb="Sign in with",
    console="https://entra.microsoft.com/",
    protocol=OpenIDConnect(
        # All kinds of accounts; MICROSOFT_ISSUER with a tenant's id admits that tenant only.
        issuer="https://login.microsoftonline.com/common/v2.0",
        any_tenant=ANY_TENANT,
        canonical_issuer=canonical_issuer,
        scope="openid email profile",
        client_auth="post",
    ),
    profile=profile,
    email=EmailTrust(
        "trusted",
        "only with the optional claim `xms_edov`; else any administrator may have made it up",
        can_verify=False,
    ),
    check_registration=check_registration,
    choice_params={"prompt": "select_account"},
    reauth_params={"prompt": "login"},
    # The id_token has the whole profile.
    refreshable=False,
    criteria=CRITERIA,
)
