"""Facebook Login, plain OAuth 2.0 on the versioned Graph API.
https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow"""

import hashlib
import hmac

from providers.base import Params, Provider, Revocation
from providers.profile import claims_at


def appsecret_proof(client_secret: str, access_token: str) -> Params:
    """https://developers.facebook.com/docs/graph-api/guides/secure-requests"""
    digest = hmac.new(client_secret.encode(), access_token.encode(), hashlib.sha256)
    return {"appsecret_proof": digest.hexdigest()}


FACEBOOK = Provider(
    name="facebook",
    label="Facebook",
    scope="public_profile email",
    scope_separator=",",
    authorization_endpoint="https://www.facebook.com/{version}/dialog/oauth",
    token_endpoint="https://graph.facebook.com/{version}/oauth/access_token",
    api_url="https://graph.facebook.com/{version}/",
    # A version is supported for about two years.
    api_version="v26.0",
    # The code flow documents no code verifier.
    pkce=False,
    # Not documented as verified, and often missing.
    profile=claims_at(
        "me?fields=id,name,email,picture.width(256).height(256)",
        subject="id",
        email="email",
        name="name",
        picture="picture.data.url",
    ),
    vouches_for_email=False,
    proof=appsecret_proof,
    intent_params={
        "reauth": {"auth_type": "reauthenticate"},
        "ask_email": {"auth_type": "rerequest"},
    },
    # https://developers.facebook.com/docs/facebook-login/guides/permissions/request-revoke
    revocation=Revocation(path="me/permissions", method="DELETE", asked_by="person"),
    access_refused_errors=frozenset({"190"}),
    # Graph API errors: 1 wrong client secret, 101 wrong client id, 191 redirect URI not registered.
    misconfigured_errors=frozenset({"1", "101", "191"}),
    # 100 is any invalid parameter; with valid id, secret and redirect URI it can only be the code.
    code_refused_errors=frozenset({"100"}),
    also_passes=("https://m.facebook.com",),
    console="https://developers.facebook.com/apps",
)
