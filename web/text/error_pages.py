"""The texts of HTTP error pages, by status."""

from typing import NamedTuple


class ErrorPage(NamedTuple):
    """``endpoint``: where the button leads, whether signed in or not. The page fills in
    ``{email}``, ``{product}`` and ``{ref}``."""

    title: str
    body: str
    endpoint: str
    action: str


ERROR_PAGES = {
    400: ErrorPage(
        "That request didn't make sense to us",
        "The link or form may be incomplete or too old.",
        "login.choose",
        "Go to sign-in",
    ),
    403: ErrorPage(
        "You can't open this page",
        "You're signed in as {email}, which doesn't have access.",
        "account.show",
        "Go to account",
    ),
    404: ErrorPage(
        "Page not found",
        "Check the address, or start from your account.",
        "account.show",
        "Go to account",
    ),
    405: ErrorPage(
        "That action isn't possible here",
        "Use the buttons on the page instead of the address bar.",
        "account.show",
        "Go to account",
    ),
    500: ErrorPage(
        "Something went wrong on our side",
        "We've recorded it. Reference {ref}. You are not signed out.",
        "login.choose",
        "Try again",
    ),
    503: ErrorPage(
        "Back soon",
        "{product} is being updated or is short of resources.",
        "login.choose",
        "Try again",
    ),
}
