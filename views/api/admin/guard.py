"""The guard of the administrators' API: an access token of a program, with the scope admin."""

from dataclasses import replace

import structlog
from flask import Blueprint, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from accounts.activity import Caller
from errors import AccountDeleted
from errors import NotFound as NoSuchThing
from issuer import scopes
from issuer.access_tokens import AccessToken
from issuer.clients import MACHINE
from issuer.faults import Refused
from views.oidc.userinfo import bearer_token
from web.administration import is_near
from web.context import site
from web.csrf import csrf
from web.guards import Guard, protect
from web.problem_details import problem_json
from web.request_info import SAFE_METHODS, caller
from web.request_state import request_state
from web.text.words import A_PROGRAM

log = structlog.get_logger()

NEEDED = "Send an access token of your application (client credentials) with the scope admin."


def require_program() -> Response | None:
    """Let a program with the scope admin pass; answer 401 or 403 otherwise (RFC 6750 3). Raises
    NotFound outside ADMIN_NETWORKS."""
    if not is_near(site().settings):
        raise NotFound
    if request.method == "OPTIONS":
        return None
    # A form may not bring the token (RFC 6750 2.2 has it optional).
    token = bearer_token() if "Authorization" in request.headers else Refused("bearer_missing")
    if isinstance(token, Refused):
        return _refuse_token(token)
    if not _may_administer(token):
        challenge = f'Bearer error="insufficient_scope", scope="{scopes.ADMIN}"'
        return _refuse(403, "insufficient_scope", challenge)
    if request.method not in SAFE_METHODS:
        site().limits.count_admin_act(token.client.id)
    program = token.client
    name = A_PROGRAM.format(name=program.shown_name)
    request_state().program = replace(caller(), admin_id=program.id, admin_name=name)
    return None


def _may_administer(token: AccessToken) -> bool:
    """Tell whether a token is of a program that acts for itself, and has the scope, still."""
    program = token.client
    return (
        token.user_id is None
        and scopes.ADMIN in token.scope_list
        and scopes.ADMIN in program.scopes
        and program.may_use(MACHINE)
    )


def _refuse_token(refused: Refused) -> Response:
    if refused.name == "bearer_missing":
        return _refuse(401, "unauthorized", 'Bearer realm="admin"')
    return _refuse(401, "invalid_token", 'Bearer error="invalid_token"')


def _refuse(status: int, code: str, challenge: str) -> Response:
    log.info("request_refused", reason=code, method=request.method, endpoint=request.endpoint)
    title = "Forbidden" if status == 403 else "Unauthorized"
    response = problem_json(status, code, title, NEEDED)
    response.headers["WWW-Authenticate"] = challenge
    return response


def answer_deleted(_error: AccountDeleted) -> Response:
    """Answer that the person is gone, who was deleted meanwhile: the program is not."""
    return problem_json(404, NoSuchThing.code, "Not Found")


ADMIN_PROGRAM = Guard("admin_program", require_program)


def protect_programs(blueprint: Blueprint) -> None:
    """Put the guard before every request of a blueprint. No cookie counts, so no form's token."""
    csrf.exempt(blueprint)
    protect(blueprint, ADMIN_PROGRAM)
    blueprint.register_error_handler(AccountDeleted, answer_deleted)


def program_caller() -> Caller:
    """Return the program of this request as the one who acts."""
    program = request_state().program
    assert program is not None
    return program
