"""The JSON API. Errors are problem+json (RFC 9457), times ISO 8601 UTC, ids opaque.

A request sees only its own person's data. It authenticates with a bearer token (web/bearer.py) or
the session cookie; with the cookie, a change needs the header X-CSRF-Token, whose value GET
/api/v1/me returns.
"""

from typing import Any

from flask import Blueprint, Response, after_this_request, current_app

import accounts
import models
from access import groups
from accounts import sessions
from errors import NotFound
from models import Session as SessionRow
from views.api.me import describe_me
from views.api.operations import operation
from views.api.paging import Position, page_of
from views.api.reauthentication import SENSITIVE, require_fresh_auth
from views.api.schemas import (
    Identity,
    IdentityList,
    Me,
    NameChange,
    PageQuery,
    Session,
    SessionList,
    of_rows,
)
from web.authentication import current_session, current_session_id, this_session, this_user
from web.context import site
from web.csrf import CSRF_HEADER, csrf, session_csrf
from web.guards import API_SIGNED_IN, BEARER_HOLDS, CSRF_CHECKED, LIMITED, protect
from web.request_info import caller
from web.session import end_session
from web.text.devices import device_name

api = Blueprint("api", __name__, url_prefix="/api/v1")
# Flask-WTF's check would respond with a page, and before authentication.
csrf.exempt(api)
protect(api, BEARER_HOLDS, API_SIGNED_IN, CSRF_CHECKED, LIMITED)


def offer_csrf_value(response: Response) -> Response:
    response.vary.add("Cookie")
    response.headers[CSRF_HEADER] = session_csrf(current_app).value_of(this_session().id)
    return response


@api.get("/me")
@operation(
    answer=Me, headers={CSRF_HEADER: "By cookie: what changes are to be sent with. Keep it."}
)
def me() -> dict[str, Any]:
    """Return the signed-in person."""
    if current_session():
        after_this_request(offer_csrf_value)
    return describe_me(this_user(), this_user().identities, groups.of_user(this_user().id))


@api.patch("/me")
@operation(body=NameChange, answer=Me)
def change_me(body: NameChange) -> dict[str, Any]:
    """Change your name.

    Everything else about a person comes from their providers and is read-only.
    """
    user = accounts.rename(this_user().id, body.name, caller(), current_session_id())
    return describe_me(user, user.identities, groups.of_user(user.id))


@api.get("/identities")
@operation(query=PageQuery, answer=IdentityList)
def identities(query: PageQuery) -> IdentityList:
    """List the ways you sign in, the oldest first."""
    rows = accounts.identities_of(this_user().id)
    shown, following = page_of(rows, place_of_identity, after=query.cursor, limit=query.limit)
    return IdentityList(items=of_rows(Identity, shown), next_cursor=following)


@api.delete("/identities/<identity_id>")
@operation(problems={403: SENSITIVE, 409: "last_way_in: nothing else lets you in."})
def remove_identity(identity_id: str) -> None:
    """Remove a way to sign in.

    Needs a sign-in within the last 15 minutes. Other sessions that it started end.
    """
    require_fresh_auth()
    accounts.unlink(this_user().id, identity_id, site().policy, current_session_id(), caller())


@api.get("/sessions")
@operation(query=PageQuery, answer=SessionList)
def list_sessions(query: PageQuery) -> SessionList:
    """List where you are signed in, the newest first."""
    rows = sessions.of_user(this_user().id)
    shown, following = page_of(
        rows, place_of_session, after=query.cursor, limit=query.limit, newest_first=True
    )
    return SessionList(items=[describe_session(row) for row in shown], next_cursor=following)


@api.delete("/sessions")
@operation()
def remove_other_sessions() -> None:
    """End all your other sessions.

    With a bearer token, which has no session, all of them end.
    """
    accounts.end_other_sessions(this_user().id, caller(), current_session_id())


@api.delete("/sessions/current")
@operation(problems={404: "With a bearer token there is no session to end."})
def remove_current_session() -> None:
    """Sign out: end the session of this request."""
    this = current_session()
    if this is None:
        raise NotFound("a bearer token has no session")
    end_session()


@api.delete("/sessions/<session_id>")
@operation()
def remove_session(session_id: str) -> None:
    """End a session immediately.

    Ending the current one signs you out.
    """
    this = current_session()
    if this and session_id == this.id:
        end_session()
        return
    accounts.end_session(this_user().id, session_id, caller(), current_session_id())


def place_of_identity(row: models.Identity) -> Position:
    return row.linked_at, row.id


def place_of_session(row: SessionRow) -> Position:
    return row.created_at, row.id


def describe_session(row: SessionRow) -> Session:
    this = current_session()
    return Session(
        id=row.id,
        current=this is not None and row.id == this.id,
        provider=row.provider,
        device=device_name(row.user_agent),
        ip_address=row.address,
        created_at=row.created_at,
        authenticated_at=row.authenticated_at,
        last_seen_at=row.last_seen_at,
        expires_at=row.expires_at,
    )
