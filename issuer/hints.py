"""Hints: ID tokens of ours that a client sends back, to say whom it means."""

from collections.abc import Mapping
from typing import Any

from errors import IdTokenRefused
from issuer import clients
from issuer.clients import Client
from issuer.signing_keys import key_ring
from keys.jwt import read_segment, verify_signature
from keys.signing import ALGORITHMS


def read_id_token(text: str, issuer: str | None = None) -> tuple[Mapping[str, Any], Client]:
    """Verify an ID token of ours, which may have expired; return its claims and its client.

    Raises IdTokenRefused.
    """
    claims, _ = verify_signature(text, key_ring(), ALGORITHMS)
    audience = claims.get("aud")
    client = clients.named(audience) if isinstance(audience, str) else None
    kind = read_segment(text, 0, "header").get("typ")
    is_id_token = isinstance(claims.get("sub"), str) and kind == "JWT"
    if client is None or not is_id_token or issuer not in (None, claims.get("iss")):
        raise IdTokenRefused("it is no ID token of a client of ours")
    return claims, client


def read_hint(text: str, client: Client) -> str:
    """Return the person that a hint names, as ``client`` knows them. Raises IdTokenRefused.

    A hint of another client names them as that one does; where they differ (pairwise subjects),
    it names nobody.
    """
    claims, owner = read_id_token(text)
    is_comparable = owner.id == client.id or (
        owner.pairwise_salt is None and client.pairwise_salt is None
    )
    return str(claims["sub"]) if is_comparable else ""
