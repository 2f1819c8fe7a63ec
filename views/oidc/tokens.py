"""The token endpoint, revocation and introspection: what applications ask without a browser.

No cookie counts here, so pages of any origin may call; each request authenticates its client.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Blueprint, current_app, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from errors import TooManyAttempts
from issuer import (
    access_tokens,
    client_authentication,
    devices,
    exchanges,
    id_tokens,
    introspection,
    refresh_tokens,
    resource_tokens,
    resources,
    revocation,
    scopes,
)
from issuer.clients import CODE, DEVICE, MACHINE, REFRESH, Client
from issuer.exchanges import Issued, Use
from issuer.faults import Refused
from issuer.parameters import Parameters
from issuer.resource_tokens import Content
from storage.readers import reader_of, reading
from telemetry import metrics
from views.oidc.described import recipient
from views.oidc.json_answers import allow_any_origin, answer, refuse, refuse_name
from views.oidc.place import admission, issuer, read_form
from views.oidc.proofs import proved_key
from web.context import site
from web.csrf import csrf
from web.error_handlers import on_database_error
from web.request_info import caller

tokens = Blueprint("tokens", __name__, url_prefix="/oauth2")
csrf.exempt(tokens)
tokens.after_request(allow_any_origin)

FORM = "application/x-www-form-urlencoded"
Grants = Callable[[Use, Parameters], Response | Refused]


@tokens.errorhandler(SQLAlchemyError)
def on_database_away(error: SQLAlchemyError) -> Response:
    """Answer a program with the code of RFC 6749 4.1.2.1; nothing is half-written."""
    on_database_error(error)
    return refuse_name("unavailable")


@tokens.errorhandler(TooManyAttempts)
def on_too_many(error: TooManyAttempts) -> Response:
    response = refuse_name("too_many_failures")
    response.headers["Retry-After"] = str(error.wait_seconds)
    return response


def authenticated() -> tuple[Client, Parameters] | Response:
    """Return the client of this request and its form, or the answer to a faulty one."""
    if request.mimetype != FORM:
        return refuse_name("body_not_form")
    form = read_form()
    if form.is_repeated():
        return refuse_name("parameter_repeated")
    if not form.are_plain():
        return refuse_name("parameter_malformed")
    credentials = client_authentication.read(request.headers.get("Authorization"), form)
    who = client_authentication.named(credentials)
    site().limits.check_app(who, caller().address)
    # Most of these requests need no session of the ORM, neither here nor later.
    with reading(reader_of(current_app)):
        client = client_authentication.authenticate(credentials, recipient())
    if isinstance(client, Refused):
        if client.name != "keys_away":
            site().limits.count_app_failure(who, caller().address)
        return refuse(client)
    return client, form


@tokens.post("/token")
def token() -> Response:
    """Give tokens for a code, a refresh token, or the client's own credentials."""
    found = authenticated()
    if isinstance(found, Response):
        return found
    client, form = found
    kind = form.get("grant_type") or ""
    if name := _grant_type_fault(client, form, kind):
        return refuse_name(name)
    jkt = proved_key()
    if isinstance(jkt, Refused):
        return refuse(jkt)
    use = Use(client, admission(), caller(), jkt, next(iter(form.resources), None))
    given = GRANTS[kind](use, form)
    if isinstance(given, Refused):
        return refuse(given)
    metrics.count_app("token", "issued")
    return given


def _grant_type_fault(client: Client, form: Parameters, kind: str) -> str | None:
    faults = {
        "grant_type_missing": not kind,
        "grant_type_unknown": kind not in GRANTS,
        "grant_type_not_allowed": not client.may_use(kind),
        "resource_unknown": len(set(form.resources)) > 1,
    }
    return next((name for name, holds in faults.items() if holds), None)


def give_for_code(use: Use, form: Parameters) -> Response | Refused:
    code = form.get("code")
    if code is None:
        return Refused("code_missing")
    issued = exchanges.exchange(use, code, form.get("redirect_uri"), form.get("code_verifier"))
    if isinstance(issued, Refused):
        return issued
    return describe(use.client, issued, with_nonce=True)


def give_for_refresh_token(use: Use, form: Parameters) -> Response | Refused:
    sent = form.get("refresh_token")
    if sent is None:
        return Refused("refresh_missing")
    presented = refresh_tokens.read(sent)
    if presented is None:
        return Refused("refresh_unknown")
    scope = form.get("scope")
    asked = None if scope is None else scopes.split(scope)
    issued = exchanges.refresh(use, presented, asked)
    if isinstance(issued, Refused):
        return issued
    return describe(use.client, issued, with_nonce=False)


def give_to_machine(use: Use, form: Parameters) -> Response | Refused:
    """RFC 6749 4.4: the client acts for itself, so nothing of a person can be had."""
    client, resource = use.client, None
    if use.resource is not None:
        resource = resources.find(use.resource) if use.resource in client.resources else None
        if resource is None:
            return Refused("resource_unknown")
    allowed = {*client.scopes, *(resource.scopes if resource else ())} - set(scopes.OF_PEOPLE)
    asked = scopes.split(form.get("scope"))
    if not set(asked) <= allowed:
        return Refused("scope_unknown")
    made = access_tokens.issue_to_machine(client, asked, use.jkt, use.resource)
    if resource is not None:
        content = Content(made, resource.id, client.client_id, asked, jkt=use.jkt)
        made = resource_tokens.make(issuer(), client, content)
    return answer(_token_document(client, made, asked, use.jkt, use.resource))


def give_to_device(use: Use, form: Parameters) -> Response | Refused:
    device_code = form.get("device_code")
    if device_code is None:
        return Refused("device_missing")
    if use.resource is not None:
        return Refused("resource_unknown")
    issued = devices.poll(use, device_code)
    return issued if isinstance(issued, Refused) else describe(use.client, issued, with_nonce=False)


GRANTS: dict[str, Grants] = {
    DEVICE: give_to_device,
    CODE: give_for_code,
    REFRESH: give_for_refresh_token,
    MACHINE: give_to_machine,
}


def describe(client: Client, issued: Issued, *, with_nonce: bool) -> Response:
    """Build the answer; what is signed is signed now that the exchange is committed."""
    grant = issued.grant
    if grant.resource is not None:
        subject = client.subject_of(grant.user_id)
        content = Content(
            issued.access_token,
            grant.resource,
            subject,
            issued.scopes,
            auth_time=grant.auth_time,
            jkt=issued.jkt,
        )
        issued = replace(issued, access_token=resource_tokens.make(issuer(), client, content))
    document = _token_document(
        client, issued.access_token, issued.scopes, issued.jkt, grant.resource
    )
    if issued.refresh_token:
        document["refresh_token"] = issued.refresh_token
    if id_token := id_tokens.make(issuer(), client, issued, with_nonce=with_nonce):
        document["id_token"] = id_token
    return answer(document)


def _token_document(
    client: Client,
    access_token: str,
    granted: tuple[str, ...],
    jkt: str | None,
    resource: str | None,
) -> dict[str, Any]:
    return {
        "access_token": access_token,
        "token_type": "DPoP" if jkt else "Bearer",
        "expires_in": client.token_seconds(resource),
        "scope": scopes.join(granted),
    }


@tokens.post("/revoke")
def revoke() -> Response:
    """RFC 7009: an unknown token, or another client's, is answered like a revoked one."""
    found = authenticated()
    if isinstance(found, Response):
        return found
    client, form = found
    sent = form.get("token")
    if sent is None:
        return refuse_name("token_missing")
    revocation.revoke(client, sent)
    return Response(status=200)


@tokens.post("/introspect")
def introspect() -> Response:
    """RFC 7662: a client learns of its own tokens only."""
    found = authenticated()
    if isinstance(found, Response):
        return found
    client, form = found
    if client.is_public:
        return refuse_name("client_refused")
    sent = form.get("token")
    if sent is None:
        return refuse_name("token_missing")
    return answer(introspection.describe(client, sent, issuer(), admission()))
