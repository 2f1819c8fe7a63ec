"""Yandex ID, plain OAuth 2.0. https://yandex.com/dev/id/doc/en/"""

from providers.base import Get, Profile, Provider
from providers.parts import EmailTrust, Errors, OAuth2, Revocation
from providers.profile import clean_email, email_key, first_said, make_profile, value_at

# Yandex runs the mail of these domains; any other address is only what the person typed.
OWN_DOMAINS = ("yandex.ru", "yandex.com", "ya.ru")
PICTURES = "https://avatars.yandex.net/get-yapic"


def profile(get: Get) -> Profile:
    """Read ``info``; the subject is the id. The login is public, and psuid differs per client."""
    user = get("info?format=json")
    email = clean_email(value_at(user, "default_email"))
    is_own = email is not None and email_key(email).rpartition("@")[2] in OWN_DOMAINS
    return make_profile(
        subject=value_at(user, "id"),
        email=email,
        email_verified=is_own,
        email_trusted=is_own,
        name=first_said(value_at(user, "real_name"), value_at(user, "display_name")),
        username=value_at(user, "login"),
        picture=_picture(user),
    )


def _picture(user: object) -> str | None:
    avatar = value_at(user, "default_avatar_id")
    if value_at(user, "is_avatar_empty") is not False or not isinstance(avatar, str):
        return None
    return f"{PICTURES}/{avatar}/islands-200"


YANDEX = Provider(
    name="yandex",
    label="Yandex",
    console="https://oauth.yandex.com/",
    protocol=OAuth2(
        authorization_endpoint="https://oauth.yandex.com/authorize",
        token_endpoint="https://oauth.yandex.com/token",
        api_url="https://login.yandex.ru/",
        scope="login:info login:email login:avatar",
        authorization_scheme="OAuth",
        revocation=Revocation("revoke_token"),
    ),
    profile=profile,
    email=EmailTrust(
        "trusted", "for yandex.ru, yandex.com and ya.ru, which it runs itself", can_verify=False
    ),
    choice_params={"force_confirm": "yes"},
    errors=Errors(code_refused={"bad_verification_code"}),
    reauth_params={"force_confirm": "yes"},
    ask_email_params={"force_confirm": "yes"},
)
