"""Effects: what each kind of notice does to the identity that it names, and to its account.

The account is locked. Each effect returns its name, which the receipt keeps.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from accounts import identities, provider_acts, telling
from accounts.activity import PROVIDER, EventKind
from accounts.rules import Policy
from inbox.notices import Kind, Notice
from models import Identity
from notices.mails import MailKind

# A sign-in this much later than what a notice reports does not make it stale: clocks differ.
LATE = timedelta(seconds=60)
STALE, UNKNOWN, NOTED = "stale", "unknown", "noted"
ENDED_SESSIONS, ENDED_GRANT = "ended_sessions", "ended_grant"
SUSPENDED, REMOVED = "suspended", "removed"


@dataclass(frozen=True)
class About:
    """A notice about an identity that this site has."""

    notice: Notice
    identity: Identity
    policy: Policy


Effect = Callable[[About], str]


def end_sessions(about: About) -> str:
    provider_acts.end_sessions(about.identity)
    return ENDED_SESSIONS


def end_session(about: About) -> str:
    """End what belongs to the provider's session; all sessions, if it names none."""
    if not about.notice.sid:
        return end_sessions(about)
    provider_acts.end_upstream_session(about.identity, about.notice.sid)
    return ENDED_SESSIONS


def sign_out(about: About) -> str:
    """OpenID Connect Back-Channel Logout 2.7: a token without offline access ends too."""
    effect = end_session(about)
    provider_acts.forget_token_without_refresh(about.identity)
    return effect


def end_consent(about: About) -> str:
    provider_acts.end_sessions(about.identity)
    provider_acts.end_grant(about.identity)
    return ENDED_GRANT


def end_token(about: About) -> str:
    """End the grant: its refresh token is the one that is meant (taking.py)."""
    provider_acts.end_grant(about.identity)
    return ENDED_GRANT


def take_hijacking(about: About) -> str:
    provider_acts.end_all_sessions(about.identity)
    identity = provider_acts.end_grant(about.identity)
    provider_acts.suspend_hijacked(identity, about.notice.event_at)
    return SUSPENDED


def take_disabling(about: About) -> str:
    provider_acts.end_sessions(about.identity)
    provider_acts.suspend_disabled(about.identity, about.notice.event_at)
    return SUSPENDED


def take_enabling(about: About) -> str:
    provider_acts.enable(about.identity, PROVIDER)
    return "lifted"


def ask_again(about: About) -> str:
    provider_acts.ask_to_reauthenticate(about.identity)
    return "asked_again"


def unverify(about: About) -> str:
    provider_acts.unverify(about.identity)
    return "unverified"


def stop_mail(about: About) -> str:
    provider_acts.stop_mail(about.identity)
    return "undeliverable"


def resume_mail(about: About) -> str:
    provider_acts.resume_mail(about.identity)
    return "deliverable"


def remove(about: About) -> str:
    is_planned = provider_acts.remove(about.identity, about.policy, PROVIDER)
    return "deletion_planned" if is_planned else REMOVED


def nothing(_about: About) -> str:
    return NOTED


EFFECTS: Mapping[Kind, Effect] = {
    Kind.SESSIONS_REVOKED: end_sessions,
    Kind.SESSION_REVOKED: end_session,
    Kind.SIGNED_OUT: sign_out,
    Kind.CONSENT_REVOKED: end_consent,
    Kind.TOKEN_REVOKED: end_token,
    Kind.HIJACKED: take_hijacking,
    Kind.DISABLED: take_disabling,
    Kind.ENABLED: take_enabling,
    Kind.CREDENTIAL_CHANGED: ask_again,
    Kind.IDENTIFIER_CHANGED: unverify,
    Kind.EMAIL_STOPPED: stop_mail,
    Kind.EMAIL_RESUMED: resume_mail,
    Kind.ACCOUNT_GONE: remove,
    Kind.DELETION_ASKED: remove,
    Kind.PING: nothing,
    Kind.STREAM_ENDED: nothing,
    Kind.UNKNOWN: nothing,
}

# The mail to the person, by kind and effect. A planned deletion has a mail of its own.
MAILS: Mapping[tuple[Kind, str], MailKind] = {
    (Kind.CONSENT_REVOKED, ENDED_GRANT): MailKind.PROVIDER_TOOK_BACK,
    (Kind.HIJACKED, SUSPENDED): MailKind.PROVIDER_SUSPENDED,
    (Kind.DISABLED, SUSPENDED): MailKind.PROVIDER_SUSPENDED,
    (Kind.ACCOUNT_GONE, REMOVED): MailKind.PROVIDER_REMOVED,
    (Kind.DELETION_ASKED, REMOVED): MailKind.PROVIDER_REMOVED,
}


def carry_out(about: About) -> str:
    """Carry a notice out, and tell the person; return the effect.

    A notice that is older than the latest sign-in with the identity is stale: it ends only the
    sessions that are older too.
    """
    notice, identity = about.notice, about.identity
    if notice.event_at < identity.last_used_at - LATE:
        provider_acts.end_sessions(identity, begun_before=notice.event_at)
        return STALE
    told = telling.addresses(identity.user_id)
    effect = EFFECTS[notice.kind](about)
    if effect not in (UNKNOWN, NOTED):
        reason = notice.kind.value
        identities.record(identity, EventKind.PROVIDER_NOTICE, PROVIDER, reason)
        if kind := MAILS.get((notice.kind, effect)):
            telling.tell_of_identity(identity, kind, PROVIDER, told)
    return effect
