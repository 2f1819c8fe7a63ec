"""Sensitive acts of the API: they need a sign-in of the last 15 minutes, or say where to do it."""

from urllib.parse import urljoin

from flask import request, url_for

from errors import ReauthRequired
from web.context import site
from web.reauthentication import is_freshly_authenticated

# The meaning of a 403, for operations that are sensitive.
SENSITIVE = "csrf; or reauth_required: the last sign-in is over 15 minutes ago."


def require_fresh_auth() -> None:
    """Raise ReauthRequired unless the person signed in during the last 15 minutes."""
    if is_freshly_authenticated():
        return
    settings, origin = site().settings, request.headers.get("Origin")
    # A page of another origin can name a better place: it knows its own address.
    return_to = f"{origin}/" if origin in settings.cors_origins else None
    url = urljoin(settings.public_url, url_for("account.reauth", return_to=return_to))
    raise ReauthRequired(
        "Sign in once more at url, in a browser with the same session, or in the app that your "
        "token is from; then try again.",
        url=url,
        reauth_url=url,
    )
