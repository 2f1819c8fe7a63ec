"""Words for what the rows hold: devices, events, moments."""

import functools
from datetime import datetime

from ua_parser import parse

import errors
from accounts.activity import COMMAND_LINE, EventKind
from models import Event

# Browsers whose longer name says the same.
SHORT_NAMES = {"Mac OS X": "macOS", "Chrome Mobile": "Chrome", "Mobile Safari": "Safari"}


@functools.lru_cache(maxsize=1024)
def device(user_agent: str) -> str:
    """A browser and its system, such as "Firefox on Windows", from a User-Agent header."""
    if user_agent == COMMAND_LINE.user_agent:
        return "This site's operator"
    known = parse(user_agent)
    browser = known.user_agent.family if known.user_agent else "Unknown browser"
    system = known.os.family if known.os else None
    browser = SHORT_NAMES.get(browser, browser)
    return f"{browser} on {SHORT_NAMES.get(system, system)}" if system else browser


def moment(value: datetime) -> str:
    """A time in full: 3 Nov 2026, 14:05 UTC."""
    return f"{value.day} {value:%b %Y, %H:%M} UTC"


def day(value: datetime) -> str:
    return f"{value.day} {value:%b %Y}"


def _titles() -> dict[str, str]:
    """The page titles of all refusals, by reason code."""
    titles: dict[str, str] = {}
    waiting = [errors.Problem]
    while waiting:
        error = waiting.pop()
        titles.setdefault(error.code, error.title)
        waiting += error.__subclasses__()
    return titles


REFUSALS = _titles()


# By kind and reason; an empty reason stands for all others.
SENTENCES: dict[tuple[str, str], str] = {
    (EventKind.SIGNED_IN, "identity_unknown"): "Account created with {provider}",
    (EventKind.SIGNED_IN, "kept_separate"): "Account created with {provider}",
    (EventKind.SIGNED_IN, ""): "Signed in with {provider}",
    (EventKind.REFUSED, "cancelled"): "Sign-in with {provider} was cancelled",
    (EventKind.REFUSED, ""): "Sign-in with {provider} blocked: {refusal}",
    (EventKind.LINK_REFUSED, "cancelled"): "Connecting {provider} was cancelled",
    (EventKind.LINK_REFUSED, ""): "Connecting {provider} blocked: {refusal}",
    (EventKind.REAUTH_REFUSED, "cancelled"): "Confirming it's you with {provider} was cancelled",
    (EventKind.REAUTH_REFUSED, ""): "Confirming it's you with {provider} blocked: {refusal}",
    (
        EventKind.LINKED,
        "email_verified_on_both_sides",
    ): "Connected {provider}, its verified email is the same",
    (
        EventKind.LINKED,
        "email_known",
    ): "Connected {provider}, after you had signed in and confirmed",
    (EventKind.LINKED, ""): "Connected {provider}",
    (EventKind.UNLINKED, ""): "Removed {provider}",
    (EventKind.MERGED, ""): "Merged another account into this one, opened with {provider}",
    (EventKind.REAUTHENTICATED, ""): "Confirmed it's you with {provider}",
    (EventKind.EMAIL_CHANGED, ""): "Email changed",
    (EventKind.RENAMED, ""): "Name changed",
    (EventKind.DOWNLOADED, ""): "Account data downloaded",
    (EventKind.DISABLED, ""): "Account switched off by this site",
    (EventKind.ENABLED, ""): "Account switched on again by this site",
    (EventKind.SIGNED_OUT, ""): "Signed out",
    (EventKind.SESSIONS_ENDED, ""): "Signed out {count}",
}


def sentence(event: Event, provider: str) -> str:
    """One event as a plain sentence."""
    template = SENTENCES.get((event.kind, event.reason)) or SENTENCES[event.kind, ""]
    refusal = REFUSALS.get(event.reason, event.reason)
    return template.format(
        provider=provider,
        refusal=refusal.format(provider=provider),
        count=other_sessions(event.detail),
    )


# What a provider lets us do, by the name it goes by there.
SCOPES = {
    "openid": "Know it's you",
    "profile": "See your name and picture",
    "public_profile": "See your name and picture",
    "read:user": "See your profile",
    "email": "See your email address",
    "user:email": "See your email addresses",
    "offline_access": "Keep access while you're away, until you remove it",
}


def scope_words(scope: str) -> str:
    """A scope in plain words; one that we have no words for, as it is."""
    return SCOPES.get(scope, scope)


def other_sessions(count: int | str) -> str:
    return "1 other session" if str(count) == "1" else f"{count} other sessions"
