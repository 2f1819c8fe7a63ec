"""Sensitive acts of the API: they need a sign-in of the last 15 minutes, or say where to do it."""

from urllib.parse import urljoin

from flask import url_for

from errors import ReauthRequired
from web.context import site
from web.reauthentication import is_freshly_authenticated

# The meaning of a 403, for operations that are sensitive.
SENSITIVE = "csrf; or reauth_required: the last sign-in is over 15 minutes ago."


def require_fresh_auth() -> None:
    """Raise ReauthRequired unless the person signed in during the last 15 minutes."""
    if is_freshly_authenticated():
        return
    url = urljoin(site().settings.public_url, url_for("account.reauth"))
    raise ReauthRequired(
        "Sign in once more at url, in a browser with the same session, or in the app that your "
        "token is from; then try again.",
        url=url,
        reauth_url=url,
    )
