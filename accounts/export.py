"""Everything that is stored about a person, as plain data for download. It contains no token."""

from datetime import UTC, datetime
from typing import Any

from access import checks, groups, roles
from accounts import activity, actors, identities, sessions, telling
from accounts.activity import Caller, EventKind
from models import Event, Identity, Session, User
from notices.mails import MailKind
from storage import atomic, now


@atomic
def download(user_id: str, caller: Caller, session_id: str | None = None) -> dict[str, Any]:
    """Record a download, and return what it contains, with that line of activity.

    Raises SignedOut or AccountHeld.
    """
    user = actors.lock_to_change(user_id, session_id, caller)
    activity.record(user_id, EventKind.DOWNLOADED, caller)
    if not caller.is_operator:
        telling.tell(user_id, MailKind.DOWNLOADED, caller, session_id=session_id)
    return of_user(user)


def of_user(user: User) -> dict[str, Any]:
    """Return profile, identities with what their providers shared, groups, roles, what
    the rules of access found, sessions and activity, as JSON values; times are ISO 8601 in UTC."""
    email = user.email_identity
    return {
        "exported_at": iso_time(now()),
        "profile": {
            "id": user.id,
            "name": user.name or None,
            "email": email.email if email else None,
            "email_verified": bool(email and email.email_verified),
            "picture": user.picture or None,
            "created_at": iso_time(user.created_at),
        },
        "identities": [identity(row) for row in identities.of_user(user.id)],
        "groups": groups.of_user(user.id),
        "roles": roles.of_user(user.id),
        "access": _access(user.id),
        "sessions": [session(row) for row in sessions.of_user(user.id)],
        "activity": [_event(row) for row in activity.all_of(user.id)],
    }


def identity(row: Identity) -> dict[str, Any]:
    return {
        "id": row.id,
        "provider": row.provider,
        "issuer": row.issuer,
        "subject": row.subject,
        "email": row.email,
        "email_verified": row.email_verified,
        "email_not_shared_since": iso_time(row.email_not_shared_since),
        **{name: row.profile.get(name) for name in ("name", "username", "picture")},
        "scopes": row.scopes.split(),
        "linked_at": iso_time(row.linked_at),
        "last_used_at": iso_time(row.last_used_at),
        "read_at": iso_time(row.read_at),
    }


def _access(user_id: str) -> list[dict[str, Any]]:
    """Return what the rules of access found about a person, for each identity and rule."""
    found = checks.of_identities([each.id for each in identities.of_user(user_id)])
    return [
        {
            "identity_id": key,
            "rule": name,
            "standing": held.fact.standing.value,
            "checked_at": iso_time(held.checked_at),
        }
        for key, facts in found.items()
        for name, held in facts.items()
    ]


def session(row: Session) -> dict[str, Any]:
    return {
        "id": row.id,
        "provider": row.provider,
        "address": row.address,
        "user_agent": row.user_agent,
        "created_at": iso_time(row.created_at),
        "authenticated_at": iso_time(row.authenticated_at),
        "last_seen_at": iso_time(row.last_seen_at),
        "expires_at": iso_time(row.expires_at),
    }


def _event(row: Event) -> dict[str, Any]:
    return {
        "at": iso_time(row.at),
        "kind": row.kind,
        "reason": row.reason,
        "provider": row.provider,
        "detail": row.detail,
        "address": row.address,
        "user_agent": row.user_agent,
        "reference": row.reference,
        "administrator": row.administrator,
    }


def iso_time(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
