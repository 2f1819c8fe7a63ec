"""Zoom, plain OAuth 2.0. https://developers.zoom.us/docs/integrations/oauth/"""

from providers.base import Get, Profile, Provider
from providers.organisations import ZOOM_CRITERIA
from providers.parts import EmailTrust, Errors, OAuth2, Revocation
from providers.profile import first_said, make_profile, value_at


def profile(get: Get) -> Profile:
    """Read ``users/me``. ``verified`` (0 or 1) describes the person, and administrators manage
    addresses: so the address is verified, but joins no accounts by itself."""
    user = get("users/me")
    return make_profile(
        subject=value_at(user, "id"),
        email=value_at(user, "email"),
        email_verified=value_at(user, "verified") in (1, True),
        name=first_said(value_at(user, "display_name"), _name_of_parts(user)),
        picture=value_at(user, "pic_url"),
    )


def _name_of_parts(user: object) -> str:
    """Either part may be missing."""
    parts = [value_at(user, part) for part in ("first_name", "last_name")]
    return " ".join(part for part in parts if isinstance(part, str))


ZOOM = Provider(
    name="zoom",
    inbox_settings=("webhook_secret",),
    label="Zoom",
    console="https://marketplace.zoom.us/user/build",
    protocol=OAuth2(
        authorization_endpoint="https://zoom.us/oauth/authorize",
        token_endpoint="https://zoom.us/oauth/token",
        api_url="https://api.zoom.us/v2/",
        scope="user:read:user",
        client_auth="basic",
        revocation=Revocation("revoke"),
    ),
    profile=profile,
    email=EmailTrust("verified", "when `verified`, but it joins no accounts by itself"),
    # With the code invalid_request, in the member "reason".
    errors=Errors(
        code_refused_words=("invalid authorization code", "invalid token", "refresh token invalid"),
        misconfigured_words=("redirect uri mismatch", "invalid client"),
    ),
    criteria=ZOOM_CRITERIA,
)
