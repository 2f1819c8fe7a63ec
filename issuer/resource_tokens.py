"""Access tokens for resources: JWTs that name one API and no other (RFC 9068)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from errors import IdTokenRefused
from issuer import resources, scopes
from issuer.clients import Client
from issuer.signing_keys import key_ring
from keys.jwt import read_segment, verify_signature
from keys.signing import ALGORITHMS
from storage import now

TYPE = "at+jwt"


@dataclass(frozen=True)
class Content:
    """The content of a token, apart from its times."""

    jti: str
    resource: str
    subject: str
    scopes: Sequence[str]
    auth_time: datetime | None = None
    jkt: str | None = None


def make(issuer: str, client: Client, content: Content) -> str:
    """Sign an access token; its scopes are those of the resource."""
    resource = resources.find(content.resource)
    its_scopes = resource.scopes if resource else []
    moment = int(now().timestamp())
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": content.resource,
        "sub": content.subject,
        "client_id": client.client_id,
        "iat": moment,
        "exp": moment + client.token_seconds(content.resource),
        "jti": content.jti,
        "scope": scopes.join(scopes.allowed(content.scopes, its_scopes)),
    }
    if content.auth_time is not None:
        claims["auth_time"] = int(content.auth_time.timestamp())
    if content.jkt is not None:
        claims["cnf"] = {"jkt": content.jkt}
    return key_ring().sign(client.id_token_alg, claims, TYPE)


@dataclass(frozen=True)
class Told:
    """The content of a token that was read, with its times."""

    jti: str
    issuer: str
    audience: str
    client_id: str
    scope: str
    issued_at: datetime
    expires_at: datetime


def read(token: str) -> Told | None:
    """Return what a token says that we made and that has not expired (RFC 9068 4); None for any
    other."""
    try:
        claims, _ = verify_signature(token, key_ring(), ALGORITHMS)
        is_ours = read_segment(token, 0, "header").get("typ") == TYPE
    except IdTokenRefused:
        return None
    times: list[Any] = [claims.get(name) for name in ("iat", "exp")]
    texts: list[Any] = [claims.get(name) for name in ("jti", "iss", "aud", "client_id", "scope")]
    if not is_ours or not all(isinstance(text, str) for text in texts):
        return None
    if not all(type(time) is int for time in times) or times[1] <= now().timestamp():
        return None
    issued_at, expires_at = (datetime.fromtimestamp(time, UTC) for time in times)
    jti, issuer, audience, client_id, scope = texts
    return Told(jti, issuer, audience, client_id, scope, issued_at, expires_at)
