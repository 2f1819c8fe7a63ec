"""Small words: times, numbers, scopes, acts, and names of missing things."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

# In place of an unknown name.
THIS_ACCOUNT = "this account"
THE_PROVIDER = "The provider"
OPERATOR = "the person running this site"
SUPPORT = "support"
AN_ADMINISTRATOR = "an administrator"
# The name of a program that acts, for people and the administrators' log.
A_PROGRAM = "{name} (application)"
# The headings of the page between a form and another site.
TAKING_YOU_TO = "Taking you to {}"
TAKING_YOU_BACK = "Taking you back"
# The word that a person types to delete their account.
DELETION_WORD = "DELETE"

# Sensitive acts, as they follow "You're about to …" when a person must sign in again.
ACTS = {
    "unlink": "remove a sign-in method",
    "link": "add a sign-in method",
    "connect": "connect a sign-in method",
    "download": "download your data",
    "delete": "delete your account",
    "merge": "merge two accounts",
    "change": "change your account",
    "administer": "change something as an administrator",
    "become_admin": "become an administrator of this site",
}

# Why a session was ended from elsewhere, by accounts.ended_sessions.EndReason.
SESSION_ENDED = {
    "elsewhere": "You were signed out here from another device.",
    "identity_removed": "You were signed out here: your account no longer has the sign-in method "
    "that you used on this device.",
    "identity_moved": "You were signed out here: the person running this site moved the sign-in "
    "method that you used on this device to another account of yours.",
    "identity_refused": "You were signed out here: the sign-in method that you used on this device "
    "is no longer allowed on this site.",
    "merged": "You were signed out here: this account was merged into another one of yours.",
    "deleted": "You were signed out here: the account was deleted.",
    "rejected": "The person running this site did not let you in. Your account was deleted.",
    "disabled": "You were signed out here: the account was disabled.",
    "operator": "You were signed out here by the person running this site.",
    "provider": "You were signed out here: the service that you sign in with ended it.",
    "not_me": "You were signed out here: the account's owner said that this sign-in was not "
    "theirs.",
    "access_lost": "You no longer have access: {membership} ended.",
    "access_consent": "You were signed out here: who may use this site now depends on "
    "{membership}. Sign in again, and allow that to be seen.",
    "access_unknown": "You were signed out here: for too long nobody could tell us about "
    "{membership}. Sign in again.",
}

# The meaning of a scope, by its name at the provider.
SCOPES = {
    "openid": "Know it's you",
    "profile": "See your name and picture",
    "public_profile": "See your name and picture",
    "read:user": "See your profile",
    "email": "See your email address",
    "user:email": "See your email addresses",
    "offline_access": "Keep access while you're away, until you remove it",
}

# The rights of an application, by the scopes that it asks us for.
APP_SCOPES = {
    "profile": "See your name and picture",
    "email": "See your email address",
    "offline_access": "Keep this access while you're away, until you take it away",
    "account": "See and change your account here: name, sign-in methods, sessions",
    "identities": "See which accounts elsewhere you sign in with",
    "groups": "See which groups you are in",
    "roles": "See which roles you have",
}
KNOW_YOU = "Know it's you"

# Acts of signed-in people, as headings of the page after a failure.
HEADINGS = {"link": "Add a sign-in method", "reauth": "Confirm it's you"}


def count_of(count: int, one: str, many: str = "") -> str:
    """Write a number with its noun: ``1 session``, ``2 sessions``."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def scope_words(scope: str) -> str:
    """Return a scope in plain words, or as it is if we have no words for it."""
    return SCOPES.get(scope, scope)


def app_scope_words(
    scopes: Iterable[str], apis: Iterable[tuple[str, Mapping[str, str]]] = ()
) -> list[str]:
    """Return what an application asks for, in plain words. ``apis``: the names of the APIs that it
    may use, each with the words of its scopes."""
    asked = list(scopes)
    rights = [KNOW_YOU, *(APP_SCOPES[scope] for scope in asked if scope in APP_SCOPES)]
    for name, meanings in apis:
        theirs = ", ".join(meanings[scope] for scope in asked if scope in meanings)
        rights.append(f"Act for you at {name}{f': {theirs}' if theirs else ''}")
    return rights


def number_repeats(names: Iterable[str]) -> list[str]:
    """Number a name's second and later occurrences: what a list shows must be told apart."""
    seen: Counter[str] = Counter()
    numbered = []
    for name in names:
        seen[name] += 1
        numbered.append(f"{name} ({seen[name]})" if seen[name] > 1 else name)
    return numbered


def mask(email: str | None) -> str:
    """Mask an address so that only its owner recognises it: a•••@example.com."""
    local, _, domain = (email or "").rpartition("@")
    return f"{local[:1]}•••@{domain}" if local else ""


def minutes(seconds: int) -> str:
    whole = max(1, -(-seconds // 60))
    return "1 minute" if whole == 1 else f"{whole} minutes"


def other_sessions(count: int | str) -> str:
    return "1 other session" if str(count) == "1" else f"{count} other sessions"


def moment(value: datetime) -> str:
    """A time in full: 3 Nov 2026, 14:05 UTC."""
    return f"{value.day} {value:%b %Y, %H:%M} UTC"


def day(value: datetime) -> str:
    return f"{value.day} {value:%b %Y}"
