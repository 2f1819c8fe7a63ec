"""ID tokens: what happened at a sign-in, signed for one client (OpenID Connect Core 2)."""

from typing import Any

from issuer import claims, scopes
from issuer.claims import Person
from issuer.clients import Client
from issuer.exchanges import Issued
from issuer.logouts import Logout
from issuer.signing_keys import key_ring
from keys.signing import left_half_hash
from storage import new_id, now

LIFETIME_SECONDS = 600
LOGOUT_SECONDS = 120
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


def make(issuer: str, client: Client, issued: Issued, *, with_nonce: bool) -> str | None:
    """Make the ID token of an answer; None without the scope openid.

    All times are whole seconds, and there is no ``nbf``: clocks of clients are late.
    """
    if scopes.OPENID not in issued.scopes:
        return None
    grant, moment = issued.grant, int(now().timestamp())
    content: dict[str, Any] = {
        "iss": issuer,
        "sub": client.subject_of(grant.user_id),
        "aud": client.client_id,
        "exp": moment + LIFETIME_SECONDS,
        "iat": moment,
        "auth_time": int(grant.auth_time.timestamp()),
        "at_hash": left_half_hash(issued.access_token),
    }
    if grant.sid:
        content["sid"] = client.sid_of(grant.sid)
    if with_nonce and grant.nonce is not None:
        content["nonce"] = grant.nonce
    if client.is_first_party and grant.provider:
        content["idp"] = grant.provider
    return key_ring().sign(client.id_token_alg, content | _about_person(client, issued))


def _about_person(client: Client, issued: Issued) -> dict[str, Any]:
    """Return claims of the person, for clients that read no others or asked for them here."""
    asked = (issued.grant.claims or {}).get("id_token", ())
    if not client.has_claims_in_id_token and not asked:
        return {}
    person: Person | None = claims.find_person(issued.grant.user_id)
    if person is None:
        return {}
    only = None if client.has_claims_in_id_token else asked
    return claims.of_person(person, issued.scopes, only)


def make_logout_token(issuer: str, logout: Logout) -> str:
    """Make a logout token (OpenID Connect Back-Channel Logout 2.4)."""
    moment = int(now().timestamp())
    content: dict[str, Any] = {
        "iss": issuer,
        "aud": logout.client.client_id,
        "iat": moment,
        "exp": moment + LOGOUT_SECONDS,
        "jti": new_id(),
        "sub": logout.sub,
        "events": {LOGOUT_EVENT: {}},
    }
    if logout.sid:
        content["sid"] = logout.client.sid_of(logout.sid)
    return key_ring().sign(logout.client.id_token_alg, content, "logout+jwt")
