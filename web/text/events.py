"""The sentences of the activity list, by an event's kind and reason."""

from accounts.activity import EventKind
from models import Event
from web.text.access import membership_of
from web.text.errors import ERRORS
from web.text.words import other_sessions

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
    (EventKind.IDENTITY_MOVED, "here"): "{provider} moved here from another account by this site",
    (EventKind.IDENTITY_MOVED, ""): "{provider} moved to another account by this site",
    (EventKind.REAUTHENTICATED, ""): "Confirmed it's you with {provider}",
    (EventKind.EMAIL_CHANGED, ""): "Email changed",
    (EventKind.RENAMED, ""): "Name changed",
    (EventKind.DOWNLOADED, ""): "Account data downloaded",
    (EventKind.APPROVED, ""): "Account approved by this site",
    (EventKind.DISABLED, ""): "Account switched off by this site",
    (EventKind.ENABLED, ""): "Account switched on again by this site",
    (EventKind.APP_ALLOWED, ""): "Allowed {app} to use this account",
    (EventKind.APP_REMOVED, ""): "Took away the access of {app}",
    (
        EventKind.APP_REUSED,
        "",
    ): "{app} was signed out: something of its access was used twice, as a copy would be",
    (EventKind.GROUP_JOINED, ""): "Added to the group {app}",
    (EventKind.GROUP_LEFT, ""): "Removed from the group {app}",
    (EventKind.ROLE_GAINED, ""): "Given the role {app}",
    (EventKind.ROLE_LOST, ""): "No longer has the role {app}",
    (EventKind.GATE_REFUSED, ""): "Not let in at {app}: this account isn't on its list",
    (EventKind.ACCESS_LOST, ""): "Access to this site ended, with {membership}",
    (
        EventKind.ACCESS_LOST,
        "access_consent",
    ): "Signed out: access now depends on {membership}, which was not shared yet",
    (
        EventKind.ACCESS_LOST,
        "access_unknown",
    ): "Signed out: for too long nobody could tell about {membership}",
    (EventKind.ADMIN_MADE, ""): "Made an administrator of this site",
    (EventKind.ADMIN_UNMADE, ""): "No longer an administrator of this site",
    (EventKind.PROVIDER_NOTICE, "sessions_revoked"): "{provider} ended your sessions",
    (EventKind.PROVIDER_NOTICE, "session_revoked"): "{provider} ended a session of yours",
    (EventKind.PROVIDER_NOTICE, "signed_out"): "You signed out at {provider}",
    (EventKind.PROVIDER_NOTICE, "consent_revoked"): "You took {provider}'s permission back; "
    "next time {provider} asks again",
    (EventKind.PROVIDER_NOTICE, "token_revoked"): "{provider} took a permission back",
    (EventKind.PROVIDER_NOTICE, "hijacked"): "{provider} says that somebody else got into your "
    "account there; signing in with it is paused",
    (EventKind.PROVIDER_NOTICE, "disabled"): "{provider} has switched your account there off",
    (EventKind.PROVIDER_NOTICE, "enabled"): "{provider} has switched your account there on again",
    (EventKind.PROVIDER_NOTICE, "credential_changed"): "{provider} asked that you confirm it's "
    "you again",
    (EventKind.PROVIDER_NOTICE, "identifier_changed"): "Your email address at {provider} may "
    "have changed",
    (EventKind.PROVIDER_NOTICE, "email_stopped"): "{provider} stopped passing mail on to you",
    (EventKind.PROVIDER_NOTICE, "email_resumed"): "{provider} passes mail on to you again",
    (EventKind.PROVIDER_NOTICE, "account_gone"): "Removed {provider}: your account there is gone",
    (EventKind.PROVIDER_NOTICE, "deletion_asked"): "Removed {provider}, with everything that it "
    "shared, as you asked there",
    (EventKind.PROVIDER_NOTICE, "grant_ended"): "{provider} no longer accepts the permission that "
    "you gave; next time {provider} asks again",
    (EventKind.PROVIDER_NOTICE, ""): "{provider} told us about your account",
    (EventKind.DELETION_PLANNED, ""): "This account will be deleted on {app}: nothing opens it "
    "any more",
    (EventKind.KEPT, ""): "This account is kept: it will not be deleted",
    (EventKind.NOT_ME, "new_device"): "You said that a sign-in wasn't you: it was signed out, and "
    "changes are on hold",
    (
        EventKind.NOT_ME,
        "identity_linked",
    ): "You said that {provider} isn't yours: it is paused, and changes are on hold",
    (EventKind.NOT_ME, ""): "You said that a change wasn't you: changes are on hold",
    (EventKind.RELEASED, ""): "Changes to this account are possible again",
    (EventKind.SUSPENSION_LIFTED, ""): "Signing in with {provider} is possible again",
    (EventKind.SIGNED_OUT, ""): "Signed out",
    (EventKind.SESSIONS_ENDED, ""): "Signed out {sessions}",
}
# A kind that this release does not know: an instance of a later release may have written it.
OTHER = "Something else happened"


def sentence(event: Event, provider: str) -> str:
    """Return one event as a plain sentence."""
    template = SENTENCES.get((event.kind, event.reason)) or SENTENCES.get((event.kind, ""), OTHER)
    return template.format(
        provider=provider,
        refusal=_refusal(event.reason, provider),
        sessions=other_sessions(event.detail),
        app=event.detail,
        membership=membership_of(event.detail),
    )


def _refusal(reason: str, provider: str) -> str:
    """Return the title of the error, or the reason itself if it has none."""
    return ERRORS[reason].title.format(provider=provider) if reason in ERRORS else reason
