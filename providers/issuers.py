"""OpenID Connect providers that are little more than data; each links to its documentation.

LINE is not among them: its id_tokens for web sites are signed with the client secret (HS256), and
we accept no shared secret. https://developers.line.biz/en/docs/line-login/verify-id-token/
"""

import json

from providers.base import Get, Profile, Provider
from providers.organisations import (
    GITLAB_CRITERIA,
    SALESFORCE_CRITERIA,
    SLACK_CRITERIA,
    SLACK_TEAM,
)
from providers.parts import EmailTrust, Errors, OpenIDConnect, Revocation
from providers.profile import claims_with_userinfo, first_said, make_profile, profile_from, value_at

GITLAB_COM = "https://gitlab.com"
SLACK_USER = "https://slack.com/user_id"


def gitlab_profile(get: Get) -> Profile:
    """gitlab.com confirms addresses; elsewhere an administrator may skip that.
    https://docs.gitlab.com/integration/openid_connect_provider/"""
    claims = dict(claims_with_userinfo(get, needs=("email", "name")))
    if claims.get("iss") != GITLAB_COM:
        claims["email_verified"] = False
    return profile_from(claims, email_trusted=True)


GITLAB = Provider(
    name="gitlab",
    label="GitLab",
    console="https://gitlab.com/-/user_settings/applications",
    protocol=OpenIDConnect(
        issuer=GITLAB_COM,
        scope="openid profile email",
        client_auth="post",
    ),
    profile=gitlab_profile,
    email=EmailTrust(
        "trusted", "when `email_verified`, of gitlab.com itself only", own_server_only=True
    ),
    # Standard: every OpenID Provider must support it (OpenID Connect Core 15.1).
    choice_params={"prompt": "login"},
    reauth_params={"prompt": "login"},
    criteria=GITLAB_CRITERIA,
)


def slack_profile(get: Get) -> Profile:
    """A person has an id per workspace, and workspaces may reuse ids: both are the subject.

    A workspace with single sign-on provisions its people's addresses, so they join nothing.
    https://docs.slack.dev/authentication/sign-in-with-slack/
    """
    claims = get("userinfo")
    return make_profile(
        subject=joined(claims.get(SLACK_TEAM), "_", claims.get(SLACK_USER)),
        email=claims.get("email"),
        email_verified=claims.get("email_verified"),
        name=claims.get("name"),
        picture=claims.get("picture"),
    )


SLACK = Provider(
    name="slack",
    inbox_settings=("signing_secret",),
    label="Slack",
    verb="Sign in with",
    console="https://api.slack.com/apps",
    protocol=OpenIDConnect(
        issuer="https://slack.com",
        scope="openid profile email",
        # Unknown; the nonce binds the code to its flow.
        pkce=False,
        client_auth="post",
    ),
    profile=slack_profile,
    email=EmailTrust("verified", "when `email_verified`; not trusted to join accounts"),
    # https://docs.slack.dev/reference/methods/openid.connect.token/#errors
    errors=Errors(
        code_refused={"invalid_code", "code_already_used", "code_expired", "invalid_refresh_token"},
        misconfigured={"bad_client_secret", "invalid_client_id", "bad_redirect_uri"},
        access_refused={"invalid_auth", "token_revoked", "token_expired", "account_inactive"},
    ),
    criteria=SLACK_CRITERIA,
)


def yahoo_profile(get: Get) -> Profile:
    """Read userinfo, which has the whole profile; any of it may be missing.
    https://developer.yahoo.com/oauth2/guide/openid_connect/"""
    claims = claims_with_userinfo(get, needs=("email", "name"))
    username = first_said(claims.get("preferred_username"), claims.get("nickname"))
    return profile_from({**claims, "preferred_username": username}, email_trusted=True)


YAHOO = Provider(
    name="yahoo",
    label="Yahoo",
    console="https://developer.yahoo.com/apps",
    protocol=OpenIDConnect(
        issuer="https://api.login.yahoo.com",
        scope="openid profile email",
        # Unknown; the nonce binds the code to its flow.
        pkce=False,
        client_auth="basic",
    ),
    profile=yahoo_profile,
    email=EmailTrust("trusted", "when `email_verified`"),
)


def twitch_profile(get: Get) -> Profile:
    """The login can be renamed and taken by another person; the id stays.
    https://dev.twitch.tv/docs/authentication/getting-tokens-oidc/"""
    claims = claims_with_userinfo(get, needs=("email", "preferred_username"))
    return profile_from({**claims, "name": claims.get("preferred_username")}, email_trusted=True)


TWITCH = Provider(
    name="twitch",
    inbox_settings=("webhook_secret", "eventsub_url"),
    label="Twitch",
    console="https://dev.twitch.tv/console/apps",
    protocol=OpenIDConnect(
        issuer="https://id.twitch.tv/oauth2",
        scope="openid user:read:email",
        pkce=False,
        client_auth="post",
        authorize_params={
            "claims": json.dumps(
                {
                    "userinfo": dict.fromkeys(
                        ("email", "email_verified", "picture", "preferred_username")
                    )
                }
            )
        },
        # Not in its metadata.
        revocation=Revocation("revoke"),
    ),
    profile=twitch_profile,
    email=EmailTrust("trusted", "when `email_verified`"),
    # Without a code: {"status": 400, "message": "Invalid refresh token"}.
    errors=Errors(
        code_refused_words=(
            *("invalid refresh token", "invalid authorization code", "invalid grant"),
        ),
        misconfigured_words=(
            *("invalid client", "missing client secret", "redirect_uri does not match"),
        ),
    ),
    # Twitch cannot be asked to authenticate again, only to show its page again.
    # The page that asks again has "Not you?".
    choice_params={"force_verify": "true"},
    reauth_params={"force_verify": "true"},
)


def salesforce_profile(get: Get) -> Profile:
    """The subject is organisation and user id: ``sub`` is a URL that changes with its host.

    Organisations set their people's addresses, so none counts as verified; the user name looks like
    an address but is not one.
    https://help.salesforce.com/s/articleView?id=sf.remoteaccess_using_userinfo_endpoint.htm
    """
    claims = get("userinfo")
    return make_profile(
        subject=joined(claims.get("organization_id"), "/", claims.get("user_id")),
        email=claims.get("email"),
        name=claims.get("name"),
        username=claims.get("preferred_username"),
        picture=first_said(value_at(claims, "photos.thumbnail"), claims.get("picture")),
    )


SALESFORCE = Provider(
    name="salesforce",
    label="Salesforce",
    console="https://login.salesforce.com/lightning/setup/NavigationMenus/home",
    protocol=OpenIDConnect(
        issuer="https://login.salesforce.com",
        scope="openid profile email",
        client_auth="post",
    ),
    profile=salesforce_profile,
    email=EmailTrust("never", "never; the organisation sets it"),
    # https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_flow_errors.htm
    errors=Errors(
        code_refused={"inactive_user", "inactive_org"},
        misconfigured={"invalid_client_id", "invalid_client_credentials", "invalid_app_access"},
        passing={"rate_limit_exceeded"},
    ),
    choice_params={"prompt": "login"},
    reauth_params={"prompt": "login"},
    criteria=SALESFORCE_CRITERIA,
)


def orcid_profile(get: Get) -> Profile:
    """A researcher's number and name; ORCID shares no addresses.
    https://info.orcid.org/documentation/api-tutorials/api-tutorial-get-and-authenticated-orcid-id/
    """
    claims = get("id_token")
    parts = (claims.get("given_name"), claims.get("family_name"))
    name = " ".join(part for part in parts if isinstance(part, str))
    return make_profile(subject=claims.get("sub"), name=name)


ORCID = Provider(
    name="orcid",
    label="ORCID",
    console="https://orcid.org/developer-tools",
    protocol=OpenIDConnect(
        issuer="https://orcid.org",
        scope="openid",
        # Unknown; the nonce binds the code to its flow.
        pkce=False,
        client_auth="post",
    ),
    profile=orcid_profile,
    email=EmailTrust("none", "there is none"),
)


def joined(first: object, separator: str, second: object) -> str | None:
    """Join two ids, both of which must be present, into a subject."""
    ids = [each for each in (first, second) if isinstance(each, str) and each]
    return separator.join(ids) if len(ids) == 2 else None
