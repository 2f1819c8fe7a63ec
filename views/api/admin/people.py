"""People, as programs of administrators see and change them."""

from typing import Any

from flask import Blueprint

import models
from access import groups
from accounts import activity, admin_acts, admins, approval, directory, explanations, sessions
from errors import NotFound
from issuer import personal_data
from storage import is_id
from views.api.account_data import describe_event
from views.api.admin.guard import program_caller, protect_programs
from views.api.admin.schemas import (
    Access,
    AccessOfIdentity,
    AccessRule,
    User,
    UserIdentity,
    UserList,
    UserSession,
    UserSessionList,
    UsersQuery,
)
from views.api.export_schemas import Export
from views.api.operations import operation
from views.api.paging import cut
from views.api.schemas import EventList, PageQuery, of_rows
from web.context import site
from web.text.devices import device_name

people = Blueprint("api_admin_people", __name__, url_prefix="/api/v1/admin/users")
protect_programs(people)

LAST_ADMIN = "last_admin: nobody else would administer this site."
NO_RULES = "No such person, or ACCESS_FILE is not set."
NOT_WAITING = "No such person, or the account does not wait for approval."
FACTS: dict[str, Any] = {"is_of_programs": True}


@people.get("")
@operation(query=UsersQuery, answer=UserList, **FACTS)
def list_users(query: UsersQuery) -> UserList:
    """Find people, the newest account first."""
    found = directory.search(
        query.q, site().policy, only=query.only, after=query.cursor, limit=query.limit + 1
    )
    shown, following = cut(found, query.limit, lambda user: (user.created_at, user.id))
    names = groups.of_users([user.id for user in shown])
    items = [_describe(user, names.get(user.id, [])) for user in shown]
    return UserList(items=items, next_cursor=following)


@people.get("/<user_id>")
@operation(answer=User, **FACTS)
def show_user(user_id: str) -> User:
    """Return one person."""
    return describe_person(user_id)


@people.delete("/<user_id>")
@operation(problems={409: LAST_ADMIN}, **FACTS)
def delete_user(user_id: str) -> None:
    """Delete an account with everything it owns."""
    admin_acts.delete(find_person(user_id).id, program_caller(), site().policy)


@people.post("/<user_id>/disable")
@operation(answer=User, problems={409: LAST_ADMIN}, **FACTS)
def disable_user(user_id: str) -> User:
    """Disable an account: its sessions end, and nobody signs in to it."""
    admin_acts.disable(find_person(user_id).id, program_caller(), site().policy)
    return describe_person(user_id)


@people.post("/<user_id>/enable")
@operation(answer=User, **FACTS)
def enable_user(user_id: str) -> User:
    """Enable an account again."""
    admin_acts.enable(find_person(user_id).id, program_caller())
    return describe_person(user_id)


@people.post("/<user_id>/approve")
@operation(answer=User, **FACTS)
def approve_user(user_id: str) -> User:
    """Let a person in whose account waits for approval."""
    approval.approve(find_person(user_id).id, program_caller())
    return describe_person(user_id)


@people.post("/<user_id>/reject")
@operation(problems={404: NOT_WAITING}, **FACTS)
def reject_user(user_id: str) -> None:
    """Delete an account that waits for approval."""
    if approval.reject(find_person(user_id).id, program_caller()) is None:
        raise NotFound("the account does not wait")


@people.delete("/<user_id>/admin")
@operation(problems={404: "No such person, or no administrator.", 409: LAST_ADMIN}, **FACTS)
def unmake_user_admin(user_id: str) -> None:
    """Take the right to administer away.

    Whom ADMINS names keeps it. Nobody becomes an administrator here: that takes a command, a
    setting or a link.
    """
    if not admin_acts.unmake_admin(find_person(user_id).id, program_caller(), site().policy):
        raise NotFound("no administrator by their row")


@people.post("/<user_id>/export")
@operation(answer=Export, **FACTS)
def export_user(user_id: str) -> dict[str, Any]:
    """Return everything that is stored about a person.

    A POST, because the person's activity and the log list it.
    """
    return personal_data.export(find_person(user_id).id, program_caller())


@people.get("/<user_id>/access")
@operation(answer=Access, problems={404: NO_RULES}, **FACTS)
def show_user_access(user_id: str) -> Access:
    """Explain why the rules of access let a person in, or do not.

    Nobody is asked: these are the results of the last check, with their age.
    """
    found = explanations.explain(find_person(user_id).id, site().policy)
    if found is None:
        raise NotFound("there are no rules of access")
    identities = [
        AccessOfIdentity(
            identity_id=each.identity.id,
            provider=each.identity.provider,
            usable=each.is_usable,
            rules=of_rows(AccessRule, each.results),
        )
        for each in found.identities
    ]
    denied = found.denied or None
    return Access(is_in=found.is_in, denied=denied, roles=found.roles, identities=identities)


@people.get("/<user_id>/activity")
@operation(query=PageQuery, answer=EventList, **FACTS)
def list_user_activity(user_id: str, query: PageQuery) -> EventList:
    """List what happened to an account in the last 90 days, the newest first."""
    found = activity.page(find_person(user_id).id, after=query.cursor, limit=query.limit + 1)
    shown, following = cut(found, query.limit, lambda event: (event.at, event.id))
    return EventList(items=[describe_event(event) for event in shown], next_cursor=following)


@people.get("/<user_id>/sessions")
@operation(answer=UserSessionList, **FACTS)
def list_user_sessions(user_id: str) -> UserSessionList:
    """List where a person is signed in, the latest used first."""
    rows = sessions.of_user(find_person(user_id).id)
    return UserSessionList(items=[_describe_session(row) for row in rows], next_cursor=None)


@people.delete("/<user_id>/sessions")
@operation(**FACTS)
def end_user_sessions(user_id: str) -> None:
    """Sign a person out everywhere."""
    admin_acts.end_sessions(find_person(user_id).id, program_caller())


@people.delete("/<user_id>/sessions/<session_id>")
@operation(**FACTS)
def end_user_session(user_id: str, session_id: str) -> None:
    """End one session of a person."""
    admin_acts.end_session(find_person(user_id).id, session_id, program_caller())


@people.delete("/<user_id>/identities/<identity_id>")
@operation(problems={409: "last_way_in: nothing else lets the person in."}, **FACTS)
def remove_user_identity(user_id: str, identity_id: str) -> None:
    """Remove a way to sign in of a person, but never the last that works."""
    admin_acts.unlink(find_person(user_id).id, identity_id, site().policy, program_caller())


@people.put("/<user_id>/groups/<group>")
@operation(problems={404: "No such person, or no name of a group."}, **FACTS)
def add_user_to_group(user_id: str, group: str) -> None:
    """Put a person into a group by hand.

    A name has 1 to 64 small letters, digits, `-` and `_`.
    """
    if not groups.is_name(group):
        raise NotFound("no name of a group")
    admin_acts.join_group(find_person(user_id).id, group, program_caller())


@people.delete("/<user_id>/groups/<group>")
@operation(problems={404: "No such person, or not in that group."}, **FACTS)
def remove_user_from_group(user_id: str, group: str) -> None:
    """Take a person out of a group.

    If a rule gives it, the next check of the rules puts them back.
    """
    user = find_person(user_id)
    if not groups.is_name(group) or not admin_acts.leave_group(user.id, group, program_caller()):
        raise NotFound("not in that group")


def find_person(user_id: str) -> models.User:
    """Return the person of an id. Raises NotFound."""
    found = directory.find(user_id) if is_id(user_id) else []
    if not found:
        raise NotFound("no such person")
    return found[0]


def describe_person(user_id: str) -> User:
    return _describe(find_person(user_id), groups.of_user(user_id))


def _describe(user: models.User, its_groups: list[str]) -> User:
    address = user.email_identity
    return User(
        id=user.id,
        name=user.name or None,
        email=address.email if address else None,
        email_verified=bool(address and address.email_verified),
        created_at=user.created_at,
        disabled_at=user.disabled_at,
        pending_at=user.pending_at,
        is_admin=admins.is_admin(user, site().policy),
        groups=its_groups,
        held_at=user.held_at,
        delete_due_at=user.delete_due_at,
        identities=of_rows(UserIdentity, user.identities),
    )


def _describe_session(row: models.Session) -> UserSession:
    return UserSession(
        id=row.id,
        provider=row.provider,
        device=device_name(row.user_agent),
        ip_address=row.address,
        created_at=row.created_at,
        authenticated_at=row.authenticated_at,
        last_seen_at=row.last_seen_at,
        expires_at=row.expires_at,
    )
