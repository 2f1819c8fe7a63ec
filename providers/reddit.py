"""Reddit, plain OAuth 2.0. https://github.com/reddit-archive/reddit/wiki/OAuth2"""

import html

from providers.base import Get, Profile, Provider
from providers.parts import EmailTrust, Errors, OAuth2, Revocation
from providers.profile import make_profile, value_at


def profile(get: Get) -> Profile:
    """Read ``me``; the subject is the id, not the name. This API has no address;
    ``has_verified_email`` only says that Reddit knows one."""
    user = get("me")
    return make_profile(
        subject=value_at(user, "id"),
        username=value_at(user, "name"),
        picture=_unescaped(value_at(user, "icon_img")),
    )


def _unescaped(url: object) -> object:
    """Unescape the picture's URL: it has a signed query, whose & may be sent as &amp;."""
    return html.unescape(url) if isinstance(url, str) else None


REDDIT = Provider(
    name="reddit",
    label="Reddit",
    console="https://www.reddit.com/prefs/apps",
    protocol=OAuth2(
        authorization_endpoint="https://www.reddit.com/api/v1/authorize",
        token_endpoint="https://www.reddit.com/api/v1/access_token",
        api_url="https://oauth.reddit.com/api/v1/",
        scope="identity",
        pkce=False,
        client_auth="basic",
        # Reddit returns 429 to a User-Agent that does not identify the client.
        api_headers={"User-Agent": "web:{client_id}:Quickstep"},
        revocation=Revocation("revoke_token"),
    ),
    profile=profile,
    email=EmailTrust("none", "there is none"),
    # A refused refresh token is {"message": "Bad Request", "error": 400}.
    errors=Errors(code_refused={"400"}),
)
