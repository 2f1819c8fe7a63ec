"""The JSON API. Errors are problem+json (RFC 9457), times ISO 8601 UTC, ids opaque."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, jsonify
from flask_login import current_user

from models import OAuth, User
from views.bearer import check_bearer
from views.problems import problem_json

api = Blueprint("api", __name__, url_prefix="/api/v1")
api.before_request(check_bearer)


@api.get("/me")
def me() -> Response:
    """The signed-in person, by bearer token or session cookie; 401 without."""
    if not current_user.is_authenticated:
        return unauthorized()
    response = jsonify(describe_user(current_user))
    response.headers["Cache-Control"] = "no-store"
    return response


def unauthorized() -> Response:
    """401 with the challenge of RFC 6750 3."""
    response = problem_json(401, "unauthorized", "Sign in first")
    response.headers["WWW-Authenticate"] = 'Bearer realm="api"'
    response.headers["Cache-Control"] = "no-store"
    return response


def describe_user(user: User) -> dict[str, Any]:
    email = user.email_identity
    return {
        "id": user.id,
        "name": user.name,
        "email": email.email if email else None,
        "email_verified": bool(email and email.email_verified),
        "picture": user.picture,
        "created_at": iso(user.created_at),
        "identities": [describe_identity(identity) for identity in user.identities],
    }


def describe_identity(identity: OAuth) -> dict[str, Any]:
    return {
        "id": identity.id,
        "provider": identity.provider,
        "subject": identity.subject,
        "email": identity.email,
        "email_verified": identity.email_verified,
        "linked_at": iso(identity.linked_at),
        "last_used_at": iso(identity.last_used_at),
    }


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
