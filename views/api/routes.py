"""The JSON API. Errors are problem+json (RFC 9457), times ISO 8601 UTC, ids opaque.

A request sees only its own person's data. It authenticates with a bearer token (web/bearer.py) or
the session cookie; with the cookie, a change needs the header X-CSRF-Token, whose value GET
/api/v1/me returns.
"""

from urllib.parse import urljoin

from flask import Blueprint, Response, after_this_request, request, url_for
from flask_login import current_user
from flask_wtf.csrf import generate_csrf, validate_csrf
from wtforms import ValidationError

import accounts
from accounts import activity, sessions
from accounts.activity import EventKind
from errors import CSRFFailed, NotFound, ReauthRequired
from models import Identity as IdentityValue
from models import Session as SessionRow
from models import User
from views.api.operations import operation
from views.api.paging import Position, page_of
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
from web.bearer import check_bearer, is_recent
from web.context import site
from web.guards import SAFE_METHODS, caller, count_action, csrf, current_session, end_session
from web.problem_details import problem_json
from web.text.devices import device_name

CSRF_HEADER = "X-CSRF-Token"

api = Blueprint("api", __name__, url_prefix="/api/v1")
# Flask-WTF's check would respond with a page, and before authentication.
csrf.exempt(api)
api.before_request(check_bearer)


@api.before_request
def only_signed_in() -> Response | None:
    if request.method != "OPTIONS" and not current_user.is_authenticated:
        return unauthorized()
    return None


@api.before_request
def only_from_our_pages() -> None:
    """Require the CSRF header of changes by cookie, which proves that the page can read our
    responses.

    A bearer token needs none: no browser sends it by itself.
    """
    if request.method in SAFE_METHODS or current_session() is None:
        return
    try:
        validate_csrf(request.headers.get(CSRF_HEADER))
    except ValidationError as error:
        raise CSRFFailed(
            f"Send the {CSRF_HEADER} header of the answer to GET /api/v1/me, with its cookies."
        ) from error


api.before_request(count_action)


def unauthorized() -> Response:
    """Return a 401 with the challenge of RFC 6750 3."""
    response = problem_json(401, "unauthorized", "Unauthorized", "Sign in first.")
    response.headers["WWW-Authenticate"] = 'Bearer realm="api"'
    return response


def offer_csrf_token(response: Response) -> Response:
    response.headers[CSRF_HEADER] = generate_csrf()
    return response


@api.get("/me")
@operation(
    answer=Me, headers={CSRF_HEADER: "By cookie: what changes are to be sent with. Keep it."}
)
def me() -> Me:
    """Return the signed-in person."""
    if current_session():
        after_this_request(offer_csrf_token)
    return describe_user(current_user)


@api.patch("/me")
@operation(body=NameChange, answer=Me)
def change_me(body: NameChange) -> Me:
    """Change your name.

    Everything else about a person comes from their providers and is read-only.
    """
    return describe_user(accounts.rename(current_user.id, body.name, caller()))


@api.get("/identities")
@operation(query=PageQuery, answer=IdentityList)
def identities(query: PageQuery) -> IdentityList:
    """List the ways you sign in, oldest first."""
    rows = accounts.identities_of(current_user.id)
    shown, following = page_of(rows, place_of_identity, after=query.cursor, limit=query.limit)
    return IdentityList(items=of_rows(Identity, shown), next_cursor=following)


@api.delete("/identities/<identity_id>")
@operation(
    problems={
        403: "csrf; or reauth_required: the last sign-in is over 15 minutes ago.",
        409: "last_way_in: nothing else lets you in.",
    }
)
def remove_identity(identity_id: str) -> None:
    """Remove a way to sign in.

    Needs a sign-in within the last 15 minutes. Other sessions that it started end.
    """
    check_recent()
    session = current_session()
    kept = session.id if session else ""
    accounts.unlink(current_user.id, identity_id, site().policy, kept, caller())


@api.get("/sessions")
@operation(query=PageQuery, answer=SessionList)
def list_sessions(query: PageQuery) -> SessionList:
    """List where you are signed in, newest first."""
    rows = sessions.of_user(current_user.id)
    shown, following = page_of(
        rows, place_of_session, after=query.cursor, limit=query.limit, newest_first=True
    )
    return SessionList(items=[describe_session(row) for row in shown], next_cursor=following)


@api.delete("/sessions/<session_id>")
@operation()
def remove_session(session_id: str) -> None:
    """End a session immediately.

    Ending the current one signs you out.
    """
    this = current_session()
    if this and session_id == this.id:
        activity.record(this.user_id, EventKind.SIGNED_OUT, caller(), provider=this.provider)
        end_session()
        return
    user_id = current_user.id
    if sessions.end(user_id, session_id) is None:
        raise NotFound("no such session of this account")
    activity.record(user_id, EventKind.SESSIONS_ENDED, caller(), detail="1")


def check_recent() -> None:
    """Raise ReauthRequired unless the person authenticated in the last 15 minutes."""
    if not is_recent():
        raise ReauthRequired(
            "Sign in once more at reauth_url, in a browser with the same session, or in the app "
            "that your token is from; then try again.",
            reauth_url=urljoin(site().settings.public_url, url_for("account.reauth")),
        )


def place_of_identity(row: IdentityValue) -> Position:
    return row.linked_at, row.id


def place_of_session(row: SessionRow) -> Position:
    return row.created_at, row.id


def describe_user(user: User) -> Me:
    email = user.email_identity
    return Me(
        id=user.id,
        name=user.name,
        email=email.email if email else None,
        email_verified=bool(email and email.email_verified),
        picture=user.picture,
        created_at=user.created_at,
        identities=of_rows(Identity, user.identities),
    )


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
