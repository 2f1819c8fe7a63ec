"""Verbs about an identity that its provider reports on (inbox/): sessions end, the grant ends, the
identity is suspended, put back into use, or removed.

A provider decides about its own identity, and about no other. Each verb runs within the
transaction of its caller, with the account locked.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select, update

from accounts import (
    ended_sessions,
    endings,
    holds,
    identities,
    orphans,
    sessions,
    suspensions,
    users,
)
from accounts.activity import Caller
from accounts.ended_sessions import EndReason
from accounts.holds import Hold
from accounts.rules import Policy
from accounts.suspensions import Suspension
from models import Identity, OAuth, Session
from storage import db, now
from vault import tokens

STEP_BACK = timedelta(seconds=sessions.RECENT_SECONDS + 1)


def subjects(provider: str, issuer: str, prefix: str) -> Sequence[str]:
    """Return the subjects that begin so. It is compared exactly: LIKE has characters of its own,
    and ignores case in SQLite."""
    begins_so = func.substr(OAuth.subject, 1, len(prefix)) == prefix
    query = select(OAuth.subject).where(
        OAuth.provider == provider, OAuth.issuer == issuer, begins_so
    )
    return db.session.scalars(query.order_by(OAuth.user_id, OAuth.id)).all()


def subjects_of_session(provider: str, issuer: str, sid: str) -> Sequence[str]:
    """Return the subjects that began sessions here with this session at the provider."""
    query = (
        select(OAuth.subject)
        .join(Session, Session.identity_id == OAuth.id)
        .where(Session.upstream_sid == sid, OAuth.provider == provider, OAuth.issuer == issuer)
    )
    return db.session.scalars(query.distinct()).all()


def end_sessions(identity: Identity, begun_before: datetime | None = None) -> int:
    """End the sessions that an identity started or, with ``begun_before``, those that are older;
    return how many."""
    which = sessions.of_identity(identity.id, None)
    if begun_before is not None:
        which.append(Session.created_at < begun_before)
    return ended_sessions.end(*which, reason=EndReason.PROVIDER)


def end_upstream_session(identity: Identity, sid: str) -> int:
    """End the sessions of an identity that belong to one session at the provider."""
    which = [*sessions.of_identity(identity.id, None), Session.upstream_sid == sid]
    return ended_sessions.end(*which, reason=EndReason.PROVIDER)


def end_all_sessions(identity: Identity) -> int:
    """End all sessions of the account, and offline access; return how many."""
    return sessions.end_all(identity.user_id, reason=EndReason.PROVIDER)


def end_grant(identity: Identity) -> Identity:
    """Forget an identity's token, which the provider has taken back already, and end what
    applications got through it."""
    endings.end_identity(identity.id)
    return identities.change(identity, tokens.ended_columns())


def forget_token_without_refresh(identity: Identity) -> Identity:
    """Forget a token that cannot be refreshed: it ends with the session at the provider."""
    token = tokens.read(identity) or {}
    return identity if token.get("refresh_token") else end_grant(identity)


def suspend_hijacked(identity: Identity, since: datetime) -> Identity:
    """Suspend an identity whose account at the provider was hijacked; its account here is held."""
    holds.hold(users.lock(identity.user_id), Hold.HIJACKED, since)
    return suspensions.suspend(identity, Suspension.HIJACKED, since)


def suspend_disabled(identity: Identity, since: datetime) -> Identity:
    """Suspend an identity whose account at the provider is disabled."""
    return suspensions.suspend(identity, Suspension.DISABLED, since)


def enable(identity: Identity, caller: Caller) -> Identity:
    """Put an identity back into use, as its provider says; the hold of a hijacking ends too."""
    user = users.lock(identity.user_id)
    if user.held_reason == Hold.HIJACKED:
        holds.release(user, caller)
    if identity.suspended_reason == Suspension.NOT_ME:
        return identity
    return suspensions.lift(identity)


def ask_to_reauthenticate(identity: Identity) -> None:
    """Put ``auth_time`` of the sessions that an identity started, or reauthenticated, back, so
    that the next sensitive act asks for a reauthentication."""
    which: ColumnElement[bool] = or_(
        Session.identity_id == identity.id,
        (Session.user_id == identity.user_id) & (Session.reauthenticated_with == identity.provider),
    )
    old = now() - STEP_BACK
    this = update(Session).where(which, Session.authenticated_at > old)
    db.session.execute(this.values(authenticated_at=old))


def stop_mail(identity: Identity) -> Identity:
    """Note that nothing can be sent to an identity's address."""
    return identities.change(identity, {"email_dead_at": now()})


def resume_mail(identity: Identity) -> Identity:
    """Note that the address takes mail again."""
    return identities.change(identity, {"email_dead_at": None})


def unverify(identity: Identity) -> Identity:
    """Take the address of an identity for unverified until its provider says so again at a
    sign-in: it may have got another holder."""
    return identities.change(identity, {"email_verified": False, "email_trusted": False})


def remove(identity: Identity, policy: Policy, caller: Caller) -> bool:
    """Remove an identity that no longer exists at its provider, with all that came from there. If
    its account could not be opened then, plan the deletion of the account instead; return whether
    that is so."""
    return orphans.remove_or_orphan(identity, policy, caller)
