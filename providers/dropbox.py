"""Dropbox, plain OAuth 2.0. https://developers.dropbox.com/oauth-guide"""

from errors import ProviderError
from providers.base import EmailTrust, Get, OAuth2, Profile, Provider, Revocation
from providers.profile import claims_at

# Dropbox's whole API uses POST; this call has no body.
ACCOUNT = "POST users/get_current_account"


def profile(get: Get) -> Profile:
    """Read the current account, unless Dropbox has disabled it."""
    account = get(ACCOUNT)
    if isinstance(account, dict) and account.get("disabled") is True:
        raise ProviderError("the account is disabled at Dropbox")
    return claims_at(
        ACCOUNT,
        subject="account_id",
        email="email",
        email_verified="email_verified",
        email_trusted="email_verified",
        name="name.display_name",
        picture="profile_photo_url",
    )({ACCOUNT: account}.__getitem__)


DROPBOX = Provider(
    name="dropbox",
    label="Dropbox",
    console="https://www.dropbox.com/developers/apps",
    protocol=OAuth2(
        authorization_endpoint="https://www.dropbox.com/oauth2/authorize",
        token_endpoint="https://api.dropboxapi.com/oauth2/token",
        api_url="https://api.dropboxapi.com/2/",
        scope="account_info.read",
        revocation=Revocation("auth/token/revoke", auth="bearer"),
    ),
    profile=profile,
    email=EmailTrust("trusted", "when `email_verified`"),
)
