"""Revocation: a client gives up a token of its own (RFC 7009)."""

from sqlalchemy import delete, select

from accounts.sessions import hash_token
from issuer import grants, refresh_tokens, resource_tokens
from issuer.clients import Client
from issuer.models import AccessTokenRow
from storage import atomic, db

REVOKED = "revoked"


@atomic
def revoke(client: Client, token: str) -> bool:
    """End a token, whatever kind it is; a refresh token takes its grant along (RFC 7009 2.1).

    Returns whether there was one of this client.
    """
    presented = refresh_tokens.read(token)
    if presented is not None:
        grant = grants.find(presented.grant_id)
        is_own = grant is not None and grant.client_id == client.id
        if grant is not None and is_own and refresh_tokens.is_genuine(presented, grant.salt):
            grants.end(grant.id, REVOKED)
            return True
        return False
    read = resource_tokens.read(token) if "." in token else None
    secret = read.jti if read else token
    mine = (AccessTokenRow.id == hash_token(secret), AccessTokenRow.client_id == client.id)
    is_there = db.session.scalar(select(AccessTokenRow.id).where(*mine)) is not None
    db.session.execute(delete(AccessTokenRow).where(*mine))
    return is_there
