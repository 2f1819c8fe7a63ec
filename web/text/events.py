"""The sentences of the activity list, by an event's kind and reason."""

from models import Event
from web.text.errors import ERRORS
from web.text.words import other_sessions

SENTENCES = {
    ("signed_in", "identity_unknown"): "Account created with {provider}",
    ("signed_in", "kept_separate"): "Account created with {provider}",
    ("signed_in", ""): "Signed in with {provider}",
    ("refused", "cancelled"): "Sign-in with {provider} was cancelled",
    ("refused", ""): "Sign-in with {provider} blocked: {refusal}",
    ("link_refused", "cancelled"): "Connecting {provider} was cancelled",
    ("link_refused", ""): "Connecting {provider} blocked: {refusal}",
    ("proof_refused", "cancelled"): "Confirming it's you with {provider} was cancelled",
    ("proof_refused", ""): "Confirming it's you with {provider} blocked: {refusal}",
    (
        "linked",
        "email_verified_on_both_sides",
    ): "Connected {provider}, its verified email is the same",
    ("linked", "email_known"): "Connected {provider}, after you had signed in and confirmed",
    ("linked", ""): "Connected {provider}",
    ("unlinked", ""): "Removed {provider}",
    ("merged", ""): "Merged another account into this one, opened with {provider}",
    ("confirmed", ""): "Confirmed it's you with {provider}",
    ("email_changed", ""): "Email changed",
    ("renamed", ""): "Name changed",
    ("downloaded", ""): "Account data downloaded",
    ("switched_off", ""): "Account switched off by this site",
    ("switched_on", ""): "Account switched on again by this site",
    ("signed_out", ""): "Signed out",
    ("sessions_ended", ""): "Signed out {sessions}",
}
# Of a kind that this release does not know: an instance of a later one may have written it.
OTHER = "Something else happened"


def sentence(event: Event, provider: str) -> str:
    """One event as a plain sentence."""
    template = SENTENCES.get((event.kind, event.reason)) or SENTENCES.get((event.kind, ""), OTHER)
    return template.format(
        provider=provider,
        refusal=_refusal(event.reason, provider),
        sessions=other_sessions(event.detail),
    )


def _refusal(reason: str, provider: str) -> str:
    """The title of the error; a reason that has none, as it is."""
    return ERRORS[reason].title.format(provider=provider) if reason in ERRORS else reason
