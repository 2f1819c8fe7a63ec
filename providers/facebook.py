"""Facebook Login, plain OAuth 2.0 on the versioned Graph API.
https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow"""

import hashlib
import hmac

from providers.base import Provider
from providers.parts import EmailTrust, Errors, OAuth2, Params, Revocation
from providers.profile import claims_at


def appsecret_proof(client_secret: str, access_token: str) -> Params:
    """https://developers.facebook.com/docs/graph-api/guides/secure-requests"""
    digest = hmac.new(client_secret.encode(), access_token.encode(), hashlib.sha256)
    return {"appsecret_proof": digest.hexdigest()}


FACEBOOK = Provider(
    name="facebook",
    label="Facebook",
    console="https://developers.facebook.com/apps",
    protocol=OAuth2(
        authorization_endpoint="https://www.facebook.com/{version}/dialog/oauth",
        token_endpoint="https://graph.facebook.com/{version}/oauth/access_token",
        api_url="https://graph.facebook.com/{version}/",
        # A version is supported for about two years.
        api_version="v26.0",
        scope="public_profile email",
        scope_separator=",",
        # The code flow documents no code verifier.
        pkce=False,
        sign_request=appsecret_proof,
        # https://developers.facebook.com/docs/facebook-login/guides/permissions/request-revoke
        revocation=Revocation("me/permissions", method="DELETE", auth="bearer"),
    ),
    # Not documented as verified, and often missing.
    profile=claims_at(
        "me?fields=id,name,email,picture.width(256).height(256)",
        subject="id",
        email="email",
        name="name",
        picture="picture.data.url",
    ),
    email=EmailTrust("never", "never; it is shown as not verified, and often missing"),
    errors=Errors(
        # 102: a session of its own that has ended.
        access_refused={"102", "190"},
        # Graph API errors: 1 wrong client secret, 101 wrong client id, 191 unknown redirect URI.
        misconfigured={"1", "101", "191"},
        # The service is away (2), or a rate limit is reached; sent with 400 or 403.
        # https://developers.facebook.com/docs/graph-api/guides/error-handling
        passing={"2", "4", "17", "32", "341", "613"},
        # 100 is any invalid parameter: with valid id, secret and redirect URI, the code.
        code_refused={"100"},
    ),
    # Facebook has no chooser; its page for signing in again offers another account.
    choice_params={"auth_type": "reauthenticate"},
    reauth_params={"auth_type": "reauthenticate"},
    ask_email_params={"auth_type": "rerequest"},
    adds_fragment=True,  # #_=_
)
