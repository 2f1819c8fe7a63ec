"""Providers of plain OAuth 2.0 that are pure data: what each calls its endpoints and its claims.

Amazon https://developer.amazon.com/docs/login-with-amazon/authorization-code-grant.html
DigitalOcean https://docs.digitalocean.com/reference/api/oauth/
Figma https://developers.figma.com/docs/rest-api/authentication/
Naver https://developers.naver.com/docs/login/devguide/devguide.md
Notion https://developers.notion.com/docs/authorization
Spotify https://developer.spotify.com/documentation/web-api/tutorials/code-flow
"""

from providers.base import Provider
from providers.organisations import NOTION_CRITERIA
from providers.parts import EmailTrust, Errors, OAuth2, Revocation
from providers.profile import claims_at

AMAZON = Provider(
    name="amazon",
    label="Amazon",
    # Amazon's brand requires these words.
    verb="Login with",
    console="https://developer.amazon.com/loginwithamazon/console/site/lwa/overview.html",
    protocol=OAuth2(
        authorization_endpoint="https://www.amazon.com/ap/oa",
        token_endpoint="https://api.amazon.com/auth/o2/token",
        api_url="https://api.amazon.com/",
        scope="profile",
        # Documented for apps in browsers and devices only.
        pkce=False,
    ),
    # The user_id differs per developer account. No claim says that the address is verified.
    profile=claims_at("user/profile", subject="user_id", email="email", name="name"),
    email=EmailTrust("never", "never; no claim is about it"),
)

DIGITALOCEAN = Provider(
    name="digitalocean",
    label="DigitalOcean",
    console="https://cloud.digitalocean.com/account/api/applications",
    protocol=OAuth2(
        authorization_endpoint="https://cloud.digitalocean.com/v1/oauth/authorize",
        token_endpoint="https://cloud.digitalocean.com/v1/oauth/token",
        api_url="https://api.digitalocean.com/v2/",
        scope="read",
        pkce=False,
        revocation=Revocation("revoke"),
    ),
    # account.team is this sign-in's choice; account.uuid is the person.
    profile=claims_at(
        "account",
        subject="account.uuid",
        email="account.email",
        email_verified="account.email_verified",
        email_trusted="account.email_verified",
        name="account.name",
    ),
    email=EmailTrust("trusted", "when `email_verified`"),
)

FIGMA = Provider(
    name="figma",
    label="Figma",
    console="https://www.figma.com/developers/apps",
    protocol=OAuth2(
        authorization_endpoint="https://www.figma.com/oauth",
        token_endpoint="https://api.figma.com/v1/oauth/token",
        api_url="https://api.figma.com/v1/",
        scope="current_user:read",
        client_auth="basic",
    ),
    # "handle" is the display name, not a handle.
    profile=claims_at("me", subject="id", email="email", name="handle", picture="img_url"),
    email=EmailTrust("never", "never; no claim is about it"),
)

NAVER = Provider(
    name="naver",
    label="Naver",
    console="https://developers.naver.com/apps/",
    protocol=OAuth2(
        authorization_endpoint="https://nid.naver.com/oauth2.0/authorize",
        token_endpoint="https://nid.naver.com/oauth2.0/token",
        api_url="https://openapi.naver.com/v1/",
        # The console sets what is shared; a scope would be ignored.
        scope="",
        pkce=False,
        state_in_token_request=True,
    ),
    # A resultcode other than 00 has no response, so no person. The address is a contact address,
    # never said to be verified (allauth took it for verified).
    profile=claims_at(
        "nid/me",
        subject="response.id",
        email="response.email",
        name="response.name or response.nickname",
        username="response.nickname",
        picture="response.profile_image",
    ),
    email=EmailTrust("never", "never; no claim is about it"),
    choice_params={"auth_type": "reauthenticate"},
    # With the code invalid_request and status 200.
    errors=Errors(code_refused_words=("no valid data in session",)),
    reauth_params={"auth_type": "reauthenticate"},
    ask_email_params={"auth_type": "reprompt"},
)

NOTION = Provider(
    name="notion",
    label="Notion",
    console="https://www.notion.so/my-integrations",
    protocol=OAuth2(
        authorization_endpoint="https://api.notion.com/v1/oauth/authorize",
        token_endpoint="https://api.notion.com/v1/oauth/token",
        api_url="https://api.notion.com/v1/",
        # Capabilities are chosen in the console.
        scope="",
        pkce=False,
        client_auth="basic",
        json_token_request=True,
        authorize_params={"owner": "user"},
    ),
    # The token response describes the person; if the owner is a workspace there is no user.
    profile=claims_at(
        "token",
        subject="owner.user.id",
        email="owner.user.person.email",
        name="owner.user.name",
        picture="owner.user.avatar_url",
    ),
    email=EmailTrust("never", "never; no claim is about it"),
    criteria=NOTION_CRITERIA,
)

SPOTIFY = Provider(
    name="spotify",
    label="Spotify",
    console="https://developer.spotify.com/dashboard",
    protocol=OAuth2(
        authorization_endpoint="https://accounts.spotify.com/authorize",
        token_endpoint="https://accounts.spotify.com/api/token",
        api_url="https://api.spotify.com/v1/",
        scope="user-read-email",
        client_auth="basic",
    ),
    # Documented: account_id is the id to link accounts with, and there is no proof that the address
    # belongs to the person.
    profile=claims_at(
        "me",
        subject="account_id",
        email="email",
        name="display_name",
        username="id",
        # An older answer has the id alone.
        is_username_unique=True,
        picture="images.0.url",
    ),
    email=EmailTrust("never", "never; Spotify says there is no proof of it"),
    # Its dialog has "Not you?".
    choice_params={"show_dialog": "true"},
    reauth_params={"show_dialog": "true"},
)
