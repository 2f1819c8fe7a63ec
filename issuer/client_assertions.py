"""Authentication by ``private_key_jwt``: a JWT that the client signs (RFC 7523, Core 9)."""

import time

from errors import ProviderError
from issuer import client_keys, seen_proofs
from issuer.client_keys import KeysAway, Reader
from issuer.clients import Client
from issuer.faults import Refused
from keys.client_assertions import verify_client_assertion
from keys.jwt import LEEWAY_SECONDS


def check(client: Client, assertion: str, audience: str, read: Reader) -> Refused | None:
    """Check the assertion of a client for us; it counts once, on all instances."""
    try:
        keys = client_keys.keys_of(client, read)
        claims = verify_client_assertion(assertion, keys, client.client_id, audience)
    except KeysAway as error:
        return Refused("keys_away", f"{client.client_id}: {error}")
    except ProviderError as error:
        return Refused("client_refused", f"{client.client_id}: {error.detail}")
    remaining = claims["exp"] - time.time() + LEEWAY_SECONDS
    if not seen_proofs.note(f"{client.id}:{claims['jti']}", remaining):
        return Refused("client_refused", f"{client.client_id}: the assertion was used before")
    return None
