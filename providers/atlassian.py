"""Atlassian, plain OAuth 2.0 ("3LO").
https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/"""

from errors import ProviderError
from providers.base import Get, Profile, Provider
from providers.organisations import ATLASSIAN_CRITERIA
from providers.parts import EmailTrust, Errors, OAuth2
from providers.profile import claims_at, value_at

GONE = ("inactive", "closed")


def profile(get: Get) -> Profile:
    """Read ``me``, unless the account is gone. Opinions differ on ``email_verified`` here: the
    address counts as verified, but joins no accounts by itself."""
    user = get("me")
    if value_at(user, "account_status") in GONE:
        raise ProviderError("the account is inactive or closed at Atlassian")
    return claims_at(
        "me",
        subject="account_id",
        email="email",
        email_verified="email_verified",
        name="name",
        username="nickname",
        picture="picture",
    )({"me": user}.__getitem__)


ATLASSIAN = Provider(
    name="atlassian",
    label="Atlassian",
    console="https://developer.atlassian.com/console/myapps/",
    protocol=OAuth2(
        authorization_endpoint="https://auth.atlassian.com/authorize",
        token_endpoint="https://auth.atlassian.com/oauth/token",
        api_url="https://api.atlassian.com/",
        scope="read:me",
        # Without an audience the token is useless.
        authorize_params={"audience": "api.atlassian.com", "prompt": "consent"},
    ),
    profile=profile,
    email=EmailTrust("verified", "when `email_verified`, but it joins no accounts by itself"),
    # 403 unauthorized_client, for a refresh token that has expired or was used.
    errors=Errors(code_refused_words=("refresh_token is invalid", "invalid refresh token")),
    criteria=ATLASSIAN_CRITERIA,
)
