"""Reddit, plain OAuth 2.0. https://github.com/reddit-archive/reddit/wiki/OAuth2"""

import html

from providers.base import Get, Profile, Provider, Revocation
from providers.profile import make_profile, value_at


def profile(get: Get) -> Profile:
    """From ``me``: known by the id, not by the name. There is no address in this API;
    ``has_verified_email`` says only that Reddit knows one."""
    user = get("me")
    return make_profile(
        subject=value_at(user, "id"),
        username=value_at(user, "name"),
        picture=_unescaped(value_at(user, "icon_img")),
    )


def _unescaped(url: object) -> object:
    """The address of the picture carries a signed query, whose & may be sent as &amp;."""
    return html.unescape(url) if isinstance(url, str) else None


REDDIT = Provider(
    name="reddit",
    label="Reddit",
    scope="identity",
    authorization_endpoint="https://www.reddit.com/api/v1/authorize",
    token_endpoint="https://www.reddit.com/api/v1/access_token",
    api_url="https://oauth.reddit.com/api/v1/",
    pkce=False,
    client_auth="basic",
    # One of our own, that says who asks, or the answer is 429.
    api_headers={"User-Agent": "web:{client_id}:Quickstep"},
    profile=profile,
    revocation=Revocation(path="revoke_token"),
    console="https://www.reddit.com/prefs/apps",
)
