"""Codes: the verb that ends an authorization (RFC 6749 4.1.2)."""

import structlog

from accounts.activity import Caller
from issuer import consents, grants, parked
from issuer.authorization import Asked
from issuer.grants import Basis
from issuer.steps import Visitor
from storage import atomic

log = structlog.get_logger()


@atomic
def issue(
    asked: Asked,
    visitor: Visitor,
    caller: Caller,
    *,
    request_id: str | None = None,
    has_consented: bool = False,
) -> str | None:
    """Begin the grant that a request asked for; return its code.

    ``request_id``: the parked request, which this uses up; None is returned if it was used before.
    ``has_consented``: the person has just said yes, which is remembered.
    """
    if request_id is not None and not parked.use(request_id):
        return None
    client = asked.client
    resource = asked.resource.id if asked.resource else None
    if has_consented:
        consents.give(visitor.user_id, client, asked.scopes, caller, resource)
    basis = Basis(
        user_id=visitor.user_id,
        identity_id=visitor.identity_id,
        sid=visitor.sid,
        provider=visitor.provider,
        auth_time=visitor.auth_time,
        scopes=asked.scopes,
        redirect_uri=asked.redirect_uri,
        resource=resource,
        jkt=asked.parameters.get("dpop_jkt"),
        claims=asked.claims,
        challenge=asked.parameters.get("code_challenge"),
        nonce=asked.parameters.get("nonce"),
    )
    log.info("app_authorized", client=client.id, user=visitor.user_id)
    return grants.begin(client, basis, caller)
