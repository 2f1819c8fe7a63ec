"""X, by OAuth 1.0a, https://docs.x.com/fundamentals/authentication/oauth-1-0a, and by OAuth 2.0,
https://docs.x.com/fundamentals/authentication/oauth-2-0

The numeric id is the same in both, and an operator configures either.
"""

from providers.base import Get, Profile, Provider
from providers.parts import EmailTrust, Errors, OAuth1, OAuth2, Revocation
from providers.profile import make_profile, value_at

CONSOLE = "https://developer.x.com/en/portal/dashboard"


def profile(get: Get) -> Profile:
    """X sends an address only after verifying it; it is shown, and joins nothing."""
    answer = get(
        "1.1/account/verify_credentials.json"
        "?include_email=true&skip_status=true&include_entities=false"
    )
    email = value_at(answer, "email")
    return make_profile(
        # The number loses digits in JSON parsers that use floats.
        subject=value_at(answer, "id_str"),
        email=email,
        email_verified=bool(email),
        name=value_at(answer, "name"),
        username=value_at(answer, "screen_name"),
        picture=value_at(answer, "profile_image_url_https"),
    )


def profile_2(get: Get) -> Profile:
    """``verified`` here is the badge; the address is in ``confirmed_email`` only."""
    answer = get("2/users/me?user.fields=id,name,username,profile_image_url,confirmed_email")
    email = value_at(answer, "data.confirmed_email")
    return make_profile(
        subject=value_at(answer, "data.id"),
        email=email,
        email_verified=bool(email),
        name=value_at(answer, "data.name"),
        username=value_at(answer, "data.username"),
        picture=value_at(answer, "data.profile_image_url"),
    )


TWITTER = Provider(
    name="twitter",
    label="X",
    console=CONSOLE,
    protocol=OAuth1(
        request_token_endpoint="https://api.x.com/oauth/request_token",
        authorization_endpoint="https://api.x.com/oauth/authenticate",
        token_endpoint="https://api.x.com/oauth/access_token",
        api_url="https://api.x.com/",
    ),
    profile=profile,
    email=EmailTrust("verified", "shown as verified when X gives one; joins nothing by itself"),
    choice_params={"force_login": "true"},
    reauth_params={"force_login": "true"},
)

TWITTER_OAUTH2 = Provider(
    name="twitter",
    variant="oauth2",
    label="X",
    console=CONSOLE,
    protocol=OAuth2(
        authorization_endpoint="https://x.com/i/oauth2/authorize",
        token_endpoint="https://api.x.com/2/oauth2/token",
        api_url="https://api.x.com/",
        # Without tweet.read, users/me returns 403.
        scope="users.read tweet.read users.email",
        client_auth="basic",
        revocation=Revocation("revoke"),
    ),
    profile=profile_2,
    email=EmailTrust("verified", "shown as verified when X gives one; joins nothing by itself"),
    # With the code invalid_request: "Value passed for the authorization code was invalid.", or
    # "… for the token was invalid."
    errors=Errors(
        code_refused_words=(
            "value passed for the authorization code was invalid",
            "value passed for the token was invalid",
        )
    ),
)
