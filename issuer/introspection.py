"""Introspection: what a token is worth now (RFC 7662)."""

from dataclasses import replace
from typing import Any

from accounts.admission import Admission
from issuer import access_tokens, claims, grants, refresh_tokens, resource_tokens, resources
from issuer.access_tokens import AccessToken
from issuer.clients import Client

INACTIVE = {"active": False}


def describe(client: Client, token: str, issuer: str, admission: Admission) -> dict[str, Any]:
    """Describe a token of this client; any other is just not active."""
    presented = refresh_tokens.read(token)
    if presented is not None:
        return _describe_refresh_token(client, presented, issuer, admission)
    found = _find(token, issuer, admission)
    if found is None or not _may_see(client, found):
        return INACTIVE
    document: dict[str, Any] = {
        "active": True,
        "iss": issuer,
        "sub": found.subject,
        "client_id": found.client.client_id,
        "token_type": "DPoP" if found.jkt else "Bearer",
        "scope": found.scopes,
        "iat": int(found.issued_at.timestamp()),
        "exp": int(found.expires_at.timestamp()),
    }
    if found.jkt:
        document["cnf"] = {"jkt": found.jkt}
    if found.resource:
        return document | {"aud": found.resource}
    person = claims.find_person(found.user_id) if found.user_id else None
    return document | (claims.of_person(person, found.scope_list) if person else {})


def _find(token: str, issuer: str, admission: Admission) -> AccessToken | None:
    """Return an access token, opaque or a JWT of ours, if it is valid now."""
    if "." not in token:
        return access_tokens.find(token, admission)
    told = resource_tokens.read(token)
    found = access_tokens.find_by_jti(told.jti, admission) if told else None
    if told is None or found is None or not resources.is_usable(found.client, found.resource):
        return None
    if (told.issuer, told.audience, told.client_id) != (
        issuer,
        found.resource,
        found.client.client_id,
    ):
        return None
    return replace(found, scopes=told.scope, issued_at=told.issued_at, expires_at=told.expires_at)


def _may_see(client: Client, found: AccessToken) -> bool:
    """Tell whether a client may learn of a token: its own, or one for an API of its own."""
    if found.client.id == client.id:
        return True
    resource = resources.find(found.resource) if found.resource else None
    return resource is not None and resource.client_id == client.id


def _describe_refresh_token(
    client: Client,
    presented: refresh_tokens.Presented,
    issuer: str,
    admission: Admission,
) -> dict[str, Any]:
    grant = grants.find(presented.grant_id)
    if grant is None or grant.client_id != client.id:
        return INACTIVE
    is_latest = presented.generation == grant.generation
    if not is_latest or not refresh_tokens.is_genuine(presented, grant.salt):
        return INACTIVE
    if grants.fault_of(grant, client, admission):
        return INACTIVE
    return {
        "active": True,
        "iss": issuer,
        "sub": client.subject_of(grant.user_id),
        "client_id": client.client_id,
        "scope": grant.scopes,
        "exp": int(min(grant.expires_at, grant.idle_until).timestamp()),
    }
