"""Bitbucket Cloud, plain OAuth 2.0.
https://support.atlassian.com/bitbucket-cloud/docs/use-oauth-on-bitbucket-cloud/"""

from typing import Any

from errors import ProviderError
from providers.base import Get, NotShared, Profile, Provider
from providers.organisations import BITBUCKET_CRITERIA
from providers.parts import EmailTrust, OAuth2
from providers.profile import first_said, make_profile, value_at


def profile(get: Get) -> Profile:
    """Read ``user`` and ``user/emails``; the subject is account_id. Other systems use uuid; ours
    must never change, and never be the username, which its owner can change."""
    user = get("user")
    row = _primary(get)
    confirmed = row.get("is_confirmed") is True
    return make_profile(
        subject=value_at(user, "account_id"),
        email=row.get("email"),
        email_verified=confirmed,
        email_trusted=confirmed,
        name=value_at(user, "display_name"),
        username=first_said(value_at(user, "nickname"), value_at(user, "username")),
        picture=value_at(user, "links.avatar.href"),
    )


def _primary(get: Get) -> dict[str, Any]:
    """Return the primary row of the addresses; empty if none is shared."""
    try:
        answer = get("user/emails")
    except NotShared:
        return {}
    rows = value_at(answer, "values")
    if not isinstance(rows, list):
        raise ProviderError("the list of addresses is not a list")
    rows = [row for row in rows if isinstance(row, dict) and row.get("is_primary") is True]
    return rows[0] if rows else {}


BITBUCKET = Provider(
    name="bitbucket",
    label="Bitbucket",
    console="https://bitbucket.org/account/workspaces/",
    protocol=OAuth2(
        authorization_endpoint="https://bitbucket.org/site/oauth2/authorize",
        token_endpoint="https://bitbucket.org/site/oauth2/access_token",
        api_url="https://api.bitbucket.org/2.0/",
        scope="account email",
        pkce=False,
        client_auth="basic",
        reads=("user", "user/emails"),
    ),
    profile=profile,
    email=EmailTrust("trusted", "when the primary row in `/user/emails` is confirmed"),
    criteria=BITBUCKET_CRITERIA,
)
