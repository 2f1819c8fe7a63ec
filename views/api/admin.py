"""The administrators' API: what the operator's pages do, for programs.

A program authenticates with an access token of its own (client credentials) that has the scope
admin. No person's token opens it, whatever they consented to. ADMIN_API=on adds these routes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint

import models
from access import groups
from accounts import activity, admin_acts, admin_log, admins, directory, sessions
from errors import NotFound
from issuer import admin_acts as issuer_acts
from issuer import clients, logouts, personal_data
from storage import is_id
from vault import revocations
from views.api.account_data import describe_event
from views.api.admin_guard import ADMIN_PROGRAM, program_caller
from views.api.admin_schemas import (
    Act,
    ActList,
    Application,
    ApplicationList,
    EventsQuery,
    Outbox,
    OutboxList,
    Retried,
    User,
    UserEvent,
    UserEventList,
    UserList,
    UserSession,
    UserSessionList,
    UsersQuery,
)
from views.api.export_schemas import Export
from views.api.operations import operation
from views.api.paging import encode_cursor
from views.api.schemas import Identity, PageQuery, of_rows
from web.context import site
from web.csrf import csrf
from web.guards import protect
from web.text.devices import device_name

api_admin = Blueprint("api_admin", __name__, url_prefix="/api/v1/admin")
csrf.exempt(api_admin)
protect(api_admin, ADMIN_PROGRAM)

LAST_ADMIN = "last_admin: nobody else would administer this site."
FACTS: dict[str, Any] = {"is_of_programs": True}


@api_admin.get("/users")
@operation(query=UsersQuery, answer=UserList, **FACTS)
def list_users(query: UsersQuery) -> UserList:
    """Find people, the newest account first."""
    found = directory.search(
        query.q, site().policy, only=query.only, before=query.cursor, limit=query.limit + 1
    )
    shown = found[: query.limit]
    following = _cursor(len(found) > len(shown), [(row.created_at, row.id) for row in shown])
    return UserList(items=[describe_user(row) for row in shown], next_cursor=following)


@api_admin.get("/users/<user_id>")
@operation(answer=User, **FACTS)
def show_user(user_id: str) -> User:
    """Return one person."""
    return describe_user(_find(user_id))


@api_admin.delete("/users/<user_id>")
@operation(problems={409: LAST_ADMIN}, **FACTS)
def delete_user(user_id: str) -> None:
    """Delete an account with everything it owns."""
    admin_acts.delete(_find(user_id).id, program_caller(), site().policy)


@api_admin.post("/users/<user_id>/disable")
@operation(answer=User, problems={409: LAST_ADMIN}, **FACTS)
def disable_user(user_id: str) -> User:
    """Disable an account: its sessions end, and nobody signs in to it."""
    admin_acts.disable(_find(user_id).id, program_caller(), site().policy)
    return describe_user(_find(user_id))


@api_admin.post("/users/<user_id>/enable")
@operation(answer=User, **FACTS)
def enable_user(user_id: str) -> User:
    """Enable an account again."""
    admin_acts.enable(_find(user_id).id, program_caller())
    return describe_user(_find(user_id))


@api_admin.post("/users/<user_id>/export")
@operation(answer=Export, **FACTS)
def export_user(user_id: str) -> dict[str, Any]:
    """Return everything that is stored about a person."""
    return personal_data.export(_find(user_id).id, program_caller())


@api_admin.get("/users/<user_id>/sessions")
@operation(answer=UserSessionList, **FACTS)
def list_user_sessions(user_id: str) -> UserSessionList:
    """List where a person is signed in, the latest used first."""
    rows = sessions.of_user(_find(user_id).id)
    return UserSessionList(items=[_describe_session(row) for row in rows], next_cursor=None)


@api_admin.delete("/users/<user_id>/sessions")
@operation(**FACTS)
def end_user_sessions(user_id: str) -> None:
    """Sign a person out everywhere."""
    admin_acts.end_sessions(_find(user_id).id, program_caller())


@api_admin.delete("/users/<user_id>/sessions/<session_id>")
@operation(**FACTS)
def end_user_session(user_id: str, session_id: str) -> None:
    """End one session of a person."""
    admin_acts.end_session(_find(user_id).id, session_id, program_caller())


@api_admin.delete("/users/<user_id>/identities/<identity_id>")
@operation(problems={409: "last_way_in: nothing else lets the person in."}, **FACTS)
def remove_user_identity(user_id: str, identity_id: str) -> None:
    """Remove a way to sign in of a person, but never the last that works."""
    admin_acts.unlink(_find(user_id).id, identity_id, site().policy, program_caller())


@api_admin.put("/users/<user_id>/groups/<group>")
@operation(**FACTS)
def add_user_to_group(user_id: str, group: str) -> None:
    """Put a person into a group by hand."""
    if not groups.is_name(group):
        raise NotFound("no name of a group")
    admin_acts.join_group(_find(user_id).id, group, program_caller())


@api_admin.delete("/users/<user_id>/groups/<group>")
@operation(**FACTS)
def remove_user_from_group(user_id: str, group: str) -> None:
    """Take a person out of a group. If a rule gives it, the next check of the rules puts them
    back."""
    if not admin_acts.leave_group(_find(user_id).id, group, program_caller()):
        raise NotFound("not in that group")


@api_admin.get("/events")
@operation(query=EventsQuery, answer=UserEventList, **FACTS)
def list_events(query: EventsQuery) -> UserEventList:
    """List what happened to accounts in the last 90 days, the newest first."""
    filters = {"kind": query.kind, "provider": query.provider, "reference": query.reference}
    found = activity.across(**filters, before=query.cursor, limit=query.limit + 1)
    shown = found[: query.limit]
    following = _cursor(len(found) > len(shown), [(row.at, row.id) for row in shown])
    items = [UserEvent(user_id=row.user_id, **dict(describe_event(row))) for row in shown]
    return UserEventList(items=items, next_cursor=following)


@api_admin.get("/log")
@operation(query=PageQuery, answer=ActList, **FACTS)
def list_acts(query: PageQuery) -> ActList:
    """List what administrators did in the last 180 days, the newest first."""
    found = admin_log.page(query.cursor, query.limit + 1)
    shown = found[: query.limit]
    following = _cursor(len(found) > len(shown), [(row.at, row.id) for row in shown])
    return ActList(items=of_rows(Act, shown), next_cursor=following)


@api_admin.get("/applications")
@operation(answer=ApplicationList, **FACTS)
def list_applications() -> ApplicationList:
    """List the applications that sign people in here, the oldest first."""
    return ApplicationList(items=of_rows(Application, clients.every()), next_cursor=None)


@api_admin.post("/applications/<client_id>/disable")
@operation(answer=Application, **FACTS)
def disable_application(client_id: str) -> Application:
    """Disable an application: nobody signs in to it, and its tokens are refused."""
    client = issuer_acts.disable_client(client_id, program_caller())
    return Application.model_validate(clients.get(client.id))


@api_admin.post("/applications/<client_id>/enable")
@operation(answer=Application, **FACTS)
def enable_application(client_id: str) -> Application:
    """Enable an application again, with what people had granted it."""
    client = issuer_acts.enable_client(client_id, program_caller())
    return Application.model_validate(clients.get(client.id))


@api_admin.get("/outboxes")
@operation(answer=OutboxList, **FACTS)
def list_outboxes() -> OutboxList:
    """Return how much waits to be told to providers and applications."""
    boxes = {"revocations": revocations.waiting(), "logouts": logouts.waiting()}
    items = [
        Outbox(name=name, waiting=box.count, oldest_seconds=box.oldest_seconds)  # type: ignore[arg-type]
        for name, box in boxes.items()
    ]
    return OutboxList(items=items, next_cursor=None)


@api_admin.post("/outboxes/revocations/retry")
@operation(answer=Retried, **FACTS)
def retry_revocations() -> Retried:
    """Have provider tokens revoked now that wait for their next attempt."""
    return Retried(number=admin_acts.retry_revocations(program_caller()))


@api_admin.post("/outboxes/logouts/retry")
@operation(answer=Retried, **FACTS)
def retry_logouts() -> Retried:
    """Have applications told of sign-outs now that wait for their next attempt."""
    return Retried(number=issuer_acts.retry_logouts(program_caller()))


def _find(user_id: str) -> models.User:
    """Return the person of an id. Raises NotFound."""
    found = directory.find(user_id) if is_id(user_id) else []
    if not found:
        raise NotFound("no such person")
    return found[0]


def _cursor(is_more: bool, positions: Sequence[tuple[datetime, str]]) -> str | None:  # noqa: FBT001
    return encode_cursor(positions[-1]) if is_more and positions else None


def describe_user(user: models.User) -> User:
    return User(
        id=user.id,
        name=user.name or None,
        email=user.email,
        email_verified=bool(user.email_identity and user.email_identity.email_verified),
        created_at=user.created_at,
        disabled_at=user.disabled_at,
        is_admin=admins.is_admin(user, site().policy),
        groups=groups.of_user(user.id),
        identities=of_rows(Identity, user.identities),
    )


def _describe_session(row: models.Session) -> UserSession:
    return UserSession(
        id=row.id,
        provider=row.provider,
        device=device_name(row.user_agent),
        ip_address=row.address,
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        expires_at=row.expires_at,
    )
