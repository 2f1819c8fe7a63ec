"""Sign in with Apple, OpenID Connect. https://developer.apple.com/documentation/signinwithapplerestapi"""

import json
from collections.abc import Mapping

from config.registrations import Registration
from keys.client_secret import is_key, sign
from providers.base import Get, Profile, Provider
from providers.parts import EmailTrust, Errors, OpenIDConnect
from providers.profile import clean_text, profile_from, value_at

ISSUER = "https://appleid.apple.com"
SECRET_SECONDS = 3600


def profile(get: Get) -> Profile:
    """Read the id_token; the name comes unsigned in the form, on the first visit only.

    A relay address of Apple reaches its person, so it counts like any other.
    """
    claims = get("id_token")
    return profile_from({**claims, "name": get("form_user").get("name")}, email_trusted=True)


def read_form_user(text: str) -> Mapping[str, object]:
    """Return the name in the form's JSON ``user``; the address there is not signed and ignored."""
    try:
        user = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    parts = (clean_text(value_at(user, place)) for place in ("name.firstName", "name.lastName"))
    return {"name": " ".join(part for part in parts if part)}


def make_secret(registration: Registration, now: int) -> str:
    """https://developer.apple.com/documentation/accountorganizationaldatasharing/creating-a-client-secret"""
    claims = {
        "iss": registration.team_id,
        "iat": now,
        "exp": now + SECRET_SECONDS,
        "aud": ISSUER,
        "sub": registration.client_id,
    }
    return sign(_private_key(registration), registration.key_id, claims)


def _private_key(registration: Registration) -> str:
    return registration.private_key.get_secret_value() if registration.private_key else ""


def check_registration(registration: Registration) -> list[str]:
    if is_key(_private_key(registration)):
        return []
    return ["APPLE_PRIVATE_KEY: must be the P-256 key of the .p8 file, with its BEGIN line"]


APPLE = Provider(
    name="apple",
    inbox_settings=("notification_audiences",),
    label="Apple",
    console="https://developer.apple.com/account/resources/identifiers/list/serviceId",
    protocol=OpenIDConnect(
        issuer=ISSUER,
        scope="openid email name",
        # Undocumented; the nonce binds the code to its flow.
        pkce=False,
        client_auth="post",
        make_secret=make_secret,
        # Apple requires form_post when name or address are requested.
        read_form_user=read_form_user,
        native_tokens=True,
    ),
    profile=profile,
    email=EmailTrust("trusted", "when `email_verified`; addresses of its relay too"),
    credentials=("client_id", "team_id", "key_id", "private_key"),
    check_registration=check_registration,
    errors=Errors(cancelled={"user_cancelled_authorize"}),
    # The id_token has the whole profile.
    refreshable=False,
)
