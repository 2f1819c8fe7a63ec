"""The texts of pages about a request of an application that cannot be answered, by its fault."""

from typing import NamedTuple


class FaultPage(NamedTuple):
    """``is_for_makers``: whether the page names the fault, for the people who make the app."""

    title: str
    body: str
    is_for_makers: bool = True


SIGN_IN_LINK = FaultPage(
    "This app's link isn't valid",
    "Go back to the app and try again. If it keeps happening, tell the people who make it.",
)
SIGN_OUT_LINK = FaultPage(
    "This app's link isn't valid",
    "You were not signed out. You can sign out on your account page here.",
)
FAULT_PAGES = {
    "request_expired": FaultPage(
        "Start again in the app",
        "Signing in must be finished within 10 minutes, in the browser where it began.",
        is_for_makers=False,
    ),
    "pushed_unknown": FaultPage(
        "Start again in the app",
        "Its link works once, and for a minute only.",
    ),
    "client_disabled": FaultPage(
        "This app is disabled",
        "The person running this site has disabled it. Nothing was shared.",
        is_for_makers=False,
    ),
    "document_away": FaultPage(
        "That app isn't answering",
        "We ask it for its name before we send you there, and it can't be reached. Go back to the "
        "app and try again in a minute.",
    ),
    **dict.fromkeys(
        ("logout_malformed", "logout_hint", "logout_client", "post_logout_uri"), SIGN_OUT_LINK
    ),
}

# The page where people type the code of a device.
DEVICE_PROBLEMS = {
    "unknown": {
        "title": "Check the code",
        "body": "We don't know that code. It may have expired: start again on the device.",
    },
    "refused": {
        "title": "This account can't use that app",
        "body": "Nothing was shared. Sign in with another account, or ask the person who runs it.",
    },
}


def fault_page(name: str) -> FaultPage:
    """Return the texts for a fault of this name; most are faults of a link to sign in."""
    return FAULT_PAGES.get(name, SIGN_IN_LINK)
