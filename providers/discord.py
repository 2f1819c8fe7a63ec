"""Discord, plain OAuth 2.0. https://discord.com/developers/docs/topics/oauth2"""

import re
from typing import Any

from providers.base import Get, Profile, Provider
from providers.discord_access import CRITERIA
from providers.parts import EmailTrust, OAuth2, Revocation
from providers.profile import first_said, make_profile

PICTURES = "https://cdn.discordapp.com/avatars"


def profile(get: Get) -> Profile:
    """Read ``users/@me``; the subject is the id, as usernames change. ``verified`` describes the
    address, which is null for an account with only a phone number."""
    user = get("users/@me")
    user = user if isinstance(user, dict) else {}
    return make_profile(
        subject=user.get("id"),
        email=user.get("email"),
        email_verified=user.get("verified"),
        email_trusted=user.get("verified"),
        name=first_said(user.get("global_name"), user.get("username")),
        username=user.get("username"),
        picture=_picture(user),
    )


def _picture(user: dict[str, Any]) -> str | None:
    """Return the avatar's URL: a hash, null without a picture; animated ones begin with a_."""
    avatar = user.get("avatar")
    if not isinstance(avatar, str) or not re.fullmatch(r"[A-Za-z0-9_]+", avatar):
        return None
    return f"{PICTURES}/{user.get('id')}/{avatar}.{'gif' if avatar.startswith('a_') else 'png'}"


DISCORD = Provider(
    name="discord",
    inbox_settings=("public_key",),
    label="Discord",
    console="https://discord.com/developers/applications",
    protocol=OAuth2(
        authorization_endpoint="https://discord.com/oauth2/authorize",
        token_endpoint="https://discord.com/api/oauth2/token",
        api_url="https://discord.com/api/",
        scope="identify email",
        revocation=Revocation("token/revoke"),
    ),
    profile=profile,
    email=EmailTrust("trusted", "when `verified`"),
    # The consent page has "Not you?".
    choice_params={"prompt": "consent"},
    reauth_params={"prompt": "consent"},
    criteria=CRITERIA,
)
