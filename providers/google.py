"""Google, OpenID Connect. https://developers.google.com/identity/openid-connect"""

from providers.base import Get, Profile, Provider
from providers.google_access import CRITERIA
from providers.parts import EmailTrust, Errors, OpenIDConnect
from providers.profile import claims_with_userinfo, clean_email, email_key, profile_from


def profile(get: Get) -> Profile:
    """Read the id_token; Workspace accounts may have name and picture only in userinfo.

    Google vouches for addresses that it runs itself: gmail.com and Workspace domains (``hd``). Any
    other address was verified once and may have changed hands since.
    """
    claims = claims_with_userinfo(get, needs=("name", "picture"))
    email = clean_email(claims.get("email"))
    is_gmail = email is not None and email_key(email).endswith("@gmail.com")
    return profile_from(claims, email_trusted=is_gmail or bool(claims.get("hd")))


GOOGLE = Provider(
    name="google",
    inbox_settings=("risc_configuration_url", "risc_api_url"),
    label="Google",
    console="https://console.cloud.google.com/apis/credentials",
    protocol=OpenIDConnect(
        issuer="https://accounts.google.com",
        # Both forms are documented.
        issuer_aliases=("accounts.google.com",),
        scope="openid email profile",
        scope_aliases={
            "https://www.googleapis.com/auth/userinfo.email": "email",
            "https://www.googleapis.com/auth/userinfo.profile": "profile",
        },
        # https://developers.google.com/identity/protocols/oauth2/web-server#exchange-authorization-code
        client_auth="post",
        # A refresh token comes only with a consent, and Google asks for that only once by itself.
        offline_params={"access_type": "offline", "prompt": "consent"},
        hosted_domains=True,
        criteria_url="https://cloudidentity.googleapis.com/v1/",
        native_tokens=True,
        # https://developers.google.com/identity/gsi/web/guides/verify-google-id-token
        one_tap_cookie="g_csrf_token",
    ),
    profile=profile,
    reports_tokens=True,
    email=EmailTrust(
        "trusted",
        "when `email_verified`; trusted to join accounts for gmail.com and Workspace domains",
    ),
    choice_params={"prompt": "select_account"},
    errors=Errors(misconfigured={"deleted_client", "disabled_client"}),
    reauth_params={"prompt": "select_account"},
    criteria=CRITERIA,
)
