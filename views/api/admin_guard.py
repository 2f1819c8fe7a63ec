"""The guard of the administrators' API: an access token of a program, with the scope admin."""

from flask import request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from accounts.activity import Caller
from issuer import scopes
from issuer.faults import Refused
from views.oidc.userinfo import bearer_token
from web.administration import is_near
from web.context import site
from web.guards import Guard
from web.problem_details import problem_json
from web.request_info import SAFE_METHODS, caller
from web.request_state import request_state

NEEDED = "Send an access token of your application (client credentials) with the scope admin."


def require_program() -> Response | None:
    """Let a program with the scope admin pass; answer 401 or 403 otherwise (RFC 6750 3). Raises
    NotFound outside ADMIN_NETWORKS."""
    if not is_near(site().settings):
        raise NotFound
    if request.method == "OPTIONS":
        return None
    token = bearer_token()
    if isinstance(token, Refused):
        response = problem_json(401, "unauthorized", "Unauthorized", NEEDED)
        response.headers["WWW-Authenticate"] = 'Bearer realm="admin"'
        return response
    if token.user_id is not None or scopes.ADMIN not in token.scope_list:
        response = problem_json(403, "insufficient_scope", "Forbidden", NEEDED)
        wanted = f'Bearer error="insufficient_scope", scope="{scopes.ADMIN}"'
        response.headers["WWW-Authenticate"] = wanted
        return response
    if request.method not in SAFE_METHODS:
        site().limits.count_action(token.client.id)
    here, program = caller(), token.client
    request_state().program = Caller(
        here.address,
        here.user_agent,
        here.reference,
        admin_id=program.id,
        admin_name=program.shown_name,
    )
    return None


ADMIN_PROGRAM = Guard("admin_program", require_program)


def program_caller() -> Caller:
    """Return the program of this request as the one who acts."""
    program = request_state().program
    assert program is not None
    return program
