"""GitHub, plain OAuth 2.0. https://docs.github.com/apps/oauth-apps"""

from typing import Any

from errors import ProviderError
from providers.base import Get, NotShared, Profile, Provider, Revocation
from providers.profile import make_profile

NO_REPLY = "@users.noreply.github.com"


def profile(get: Get) -> Profile:
    """From ``user`` and ``user/emails``: the account by its numeric id, never by its login,
    which its owner can change and a stranger then take."""
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
    """The row of /user/emails to use: primary before verified before the rest.

    The address in /user carries no verified flag, so it only serves where the list is empty.
    A no-reply address is listed as verified but cannot receive mail.
    """
    rows = [row for row in emails if isinstance(row, dict) and _can_receive(row.get("email"))]
    rows.sort(key=lambda row: (row.get("primary") is not True, row.get("verified") is not True))
    return rows[0] if rows else {"email": public if _can_receive(public) else None}


def _can_receive(email: object) -> bool:
    return isinstance(email, str) and not email.lower().endswith(NO_REPLY)


GITHUB = Provider(
    name="github",
    label="GitHub",
    scope="read:user user:email",
    authorization_endpoint="https://github.com/login/oauth/authorize",
    token_endpoint="https://github.com/login/oauth/access_token",
    api_url="https://api.github.com/",
    profile=profile,
    reads=("user", "user/emails"),
    # GitHub cannot be asked to authenticate again, only to ask which account it shall be.
    intent_params={"reauth": {"prompt": "select_account"}},
    # https://docs.github.com/rest/apps/oauth-applications#delete-an-app-authorization
    revocation=Revocation(
        path="applications/{client_id}/grant", method="DELETE", asked_by="client"
    ),
    misconfigured_errors=frozenset(
        {"incorrect_client_credentials", "redirect_uri_mismatch", "application_suspended"}
    ),
    code_refused_errors=frozenset({"bad_verification_code"}),
    console="https://github.com/settings/developers",
)
