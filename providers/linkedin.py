"""LinkedIn, as plain OAuth 2.0.
https://learn.microsoft.com/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2

LinkedIn has an id_token too, but without the nonce that binds it to its flow, so we ignore it; the
profile comes from userinfo, requested with the token of this flow.
"""

from providers.base import Provider
from providers.parts import EmailTrust, Errors, OAuth2
from providers.profile import claims_at

LINKEDIN = Provider(
    name="linkedin",
    label="LinkedIn",
    verb="Sign in with",
    console="https://www.linkedin.com/developers/apps",
    protocol=OAuth2(
        authorization_endpoint="https://www.linkedin.com/oauth/v2/authorization",
        token_endpoint="https://www.linkedin.com/oauth/v2/accessToken",
        api_url="https://api.linkedin.com/v2/",
        scope="openid profile email",
        # It answers 401 to a code verifier.
        pkce=False,
        client_auth="post",
    ),
    # LinkedIn says that it does not verify people's identity: an address joins nothing.
    profile=claims_at(
        "userinfo",
        subject="sub",
        email="email",
        email_verified="email_verified",
        name="name",
        picture="picture",
    ),
    email=EmailTrust("verified", "when `email_verified`; not trusted to join accounts"),
    errors=Errors(
        cancelled={"user_cancelled_login", "user_cancelled_authorize"},
        # With the code invalid_request or invalid_redirect_uri. The same words for a redirect URI
        # that differs from the authorization request's, which here it never does.
        code_refused_words=("authorization code expired", "authorization code not found"),
    ),
)
