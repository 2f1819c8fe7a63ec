"""The UserInfo endpoint (OpenID Connect Core 5.3); how it reads an access token (RFC 6750 2).

The usual GET is answered before Flask (views/oidc/about_tokens.py).
"""

import re
from datetime import datetime
from typing import Any

from flask import Blueprint, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from issuer import access_tokens, claims, scopes
from issuer.access_tokens import AccessToken
from issuer.faults import Refused
from telemetry import metrics
from views.oidc.json_answers import allow_any_origin, answer, refuse, refuse_name
from views.oidc.place import admission, read_form
from views.oidc.proofs import proved_key
from web.csrf import csrf
from web.error_handlers import on_database_error

userinfo = Blueprint("userinfo", __name__, url_prefix="/oauth2")
csrf.exempt(userinfo)
userinfo.after_request(allow_any_origin)

BEARER = re.compile(r"(?:bearer|dpop) +([A-Za-z0-9._~+/-]{1,4096}=*)", re.IGNORECASE)
FORM = "application/x-www-form-urlencoded"


@userinfo.errorhandler(SQLAlchemyError)
def on_database_away(error: SQLAlchemyError) -> Response:
    on_database_error(error)
    return refuse_name("unavailable")


def bearer_token() -> AccessToken | Refused:
    """Return the access token of this request, sent in one place."""
    sent = _sent_token()
    if isinstance(sent, Refused):
        return sent
    found = access_tokens.find(sent, admission())
    if found is None:
        return Refused("bearer_invalid")
    if found.jkt is None:
        return found
    return found if _proves(found.jkt, sent) else Refused("bearer_proof")


def _proves(jkt: str, sent: str) -> bool:
    """Tell whether the request proves the key that its token is bound to (RFC 9449 7.1)."""
    is_dpop = request.headers.get("Authorization", "")[:5].lower() == "dpop "
    return is_dpop and proved_key(sent) == jkt


def _sent_token() -> str | Refused:
    header = request.headers.get("Authorization")
    in_form = None
    if request.method == "POST" and request.mimetype == FORM:
        form = read_form()
        if form.is_repeated("access_token"):
            return Refused("bearer_two_places")
        in_form = form.get("access_token")
    if header is not None and in_form is not None:
        return Refused("bearer_two_places")
    if header is None:
        return in_form or Refused("bearer_missing")
    found = BEARER.fullmatch(header)
    if found is None:
        is_bearer = header[:6].lower() == "bearer"
        return Refused("bearer_malformed" if is_bearer else "bearer_missing")
    return found[1]


def owner_of_token(sent: str) -> tuple[str, datetime | None] | None:
    """Return the person of an access token with the scope account, for our API.

    And when they authenticated, if the client is the site's own: sensitive acts, such as deleting
    the account, need that, and no consent to another's client reaches so far.
    """
    token = access_tokens.find(sent, admission())
    if token is None or token.jkt or token.user_id is None:
        return None
    if scopes.ACCOUNT not in token.scope_list:
        return None
    return token.user_id, token.auth_time if token.client.is_first_party else None


@userinfo.route("/userinfo", methods=["GET", "POST"])
def show() -> Response:
    """Return the claims that the access token's scopes allow."""
    token = bearer_token()
    if isinstance(token, Refused):
        return refuse(token)
    document = describe(token)
    if isinstance(document, Refused):
        return refuse(document)
    metrics.count_app("userinfo", "issued")
    return answer(document)


def describe(token: AccessToken) -> dict[str, Any] | Refused:
    """Return the claims about the person of a token."""
    if token.user_id is None or scopes.OPENID not in token.scope_list:
        return Refused("bearer_scope")
    person = claims.find_person(token.user_id)
    if person is None:
        return Refused("bearer_invalid")
    return {"sub": token.subject, **claims.of_person(person, token.scope_list)}
