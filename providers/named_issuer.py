"""OpenID Connect issuers that only the settings know (OIDC_PROVIDERS).

https://openid.net/specs/openid-connect-core-1_0.html
"""

from config.registrations import Registration
from providers.base import Get, Profile, Provider
from providers.organisations import claim_criterion
from providers.parts import EmailTrust, OpenIDConnect
from providers.profile import claims_with_userinfo, profile_from

_TRUSTED = EmailTrust("trusted", "when `email_verified`: `TRUST_EMAIL` is set")
_NOT_TRUSTED = EmailTrust("unverified", "never, unless `TRUST_EMAIL` is set")


def named_issuer(name: str, registration: Registration) -> Provider:
    """Build the provider of an issuer that only the settings name (OIDC_PROVIDERS)."""

    def profile(get: Get) -> Profile:
        claims = dict(claims_with_userinfo(get, needs=("email", "name")))
        if not registration.trust_email:
            # Anybody can run an issuer: its word counts only if the operator says so.
            claims["email_verified"] = False
        return profile_from(claims, email_trusted=registration.trust_email)

    return Provider(
        name=name,
        label=registration.label or name.capitalize(),
        console=registration.issuer or "",
        protocol=OpenIDConnect(scope="openid email profile", issuer=registration.issuer or ""),
        profile=profile,
        email=_TRUSTED if registration.trust_email else _NOT_TRUSTED,
        choice_params={"prompt": "login"},
        reauth_params={"max_age": "0"},
        claim_criterion=claim_criterion,
    )
