"""Kakao, plain OAuth 2.0. https://developers.kakao.com/docs/latest/en/kakaologin/rest-api

Kakao supports OpenID Connect too, but only its own API says whether an address is still its
owner's.
"""

from providers.base import Get, Profile, Provider
from providers.parts import EmailTrust, OAuth2, Revocation
from providers.profile import first_said, is_true, make_profile, value_at


def profile(get: Get) -> Profile:
    """Read the account; the console, and then the person, choose what is present.

    An address that another person has taken over is still verified, but no longer valid.
    """
    user = get("v2/user/me")
    account = value_at(user, "kakao_account")
    flags = [value_at(account, name) for name in ("is_email_valid", "is_email_verified")]
    return make_profile(
        subject=value_at(user, "id"),
        email=value_at(account, "email"),
        email_verified=all(is_true(flag) for flag in flags),
        email_trusted=True,
        name=first_said(value_at(account, "name"), value_at(account, "profile.nickname")),
        picture=first_said(
            value_at(account, "profile.profile_image_url"),
            value_at(user, "properties.profile_image"),
        ),
    )


KAKAO = Provider(
    name="kakao",
    inbox_settings=("admin_key", "app_id", "unlink_method", "sse_configuration_url"),
    label="Kakao",
    console="https://developers.kakao.com/console/app",
    protocol=OAuth2(
        authorization_endpoint="https://kauth.kakao.com/oauth/authorize",
        token_endpoint="https://kauth.kakao.com/oauth/token",
        api_url="https://kapi.kakao.com/",
        scope="account_email profile_nickname profile_image",
        scope_separator=",",
        # Not documented.
        pkce=False,
        client_auth="post",
        revocation=Revocation("v1/user/unlink", auth="bearer"),
    ),
    profile=profile,
    email=EmailTrust("trusted", "when it is both valid and verified"),
    choice_params={"prompt": "select_account"},
    reauth_params={"prompt": "login"},
)
