"""GitHub, plain OAuth 2.0. https://docs.github.com/apps/oauth-apps"""

from typing import Any

from errors import ProviderError
from providers.base import Get, NotShared, Profile, Provider
from providers.github_access import CRITERIA
from providers.parts import EmailTrust, Errors, OAuth2, Revocation
from providers.profile import clean_email, make_profile

NO_REPLY = "@users.noreply.github.com"


def profile(get: Get) -> Profile:
    """Read ``user`` and ``user/emails``; the subject is the numeric id, never the login, which can
    be renamed and then taken by another person."""
    user = get("user")
    user = user if isinstance(user, dict) else {}
    try:
        emails = get("user/emails")
    except NotShared:
        emails = []
    if not isinstance(emails, list):
        raise ProviderError("the list of addresses is not a list")
    row = _address(emails, user.get("email"))
    verified = row.get("verified") is True
    return make_profile(
        subject=user.get("id"),
        email=row.get("email"),
        email_verified=verified,
        email_trusted=verified,
        name=user.get("name"),
        username=user.get("login"),
        picture=user.get("avatar_url"),
    )


def _address(emails: list[object], public: object) -> dict[str, Any]:
    """Return the row of /user/emails to use: primary first, then verified, then any.

    The address in /user has no verified flag, so it is used only if the list is empty. A no-reply
    address is listed as verified but receives no mail.
    """
    rows = [row for row in emails if isinstance(row, dict) and _can_receive(row.get("email"))]
    rows.sort(key=lambda row: (row.get("primary") is not True, row.get("verified") is not True))
    return rows[0] if rows else {"email": public if _can_receive(public) else None}


def _can_receive(email: object) -> bool:
    address = clean_email(email)
    return address is not None and not address.lower().endswith(NO_REPLY)


GITHUB = Provider(
    name="github",
    inbox_settings=("webhook_secret",),
    label="GitHub",
    console="https://github.com/settings/developers",
    protocol=OAuth2(
        authorization_endpoint="https://github.com/login/oauth/authorize",
        token_endpoint="https://github.com/login/oauth/access_token",
        api_url="https://api.github.com/",
        scope="read:user user:email",
        reads=("user", "user/emails"),
        # https://docs.github.com/rest/apps/oauth-applications#delete-an-app-authorization
        revocation=Revocation("applications/{client_id}/grant", method="DELETE", auth="client"),
    ),
    profile=profile,
    email=EmailTrust("trusted", "when its row in `/user/emails` says `verified`"),
    errors=Errors(
        misconfigured={
            "incorrect_client_credentials",
            "redirect_uri_mismatch",
            "application_suspended",
        },
        code_refused={"bad_verification_code", "bad_refresh_token"},
    ),
    # GitHub cannot be asked to authenticate again, only to show its account chooser.
    choice_params={"prompt": "select_account"},
    reauth_params={"prompt": "select_account"},
    criteria=CRITERIA,
)
