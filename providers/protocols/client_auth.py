"""Client authentication at a provider (RFC 6749 2.3.1, OpenID Connect Core 9)."""

import base64
from collections.abc import Collection
from typing import Protocol
from urllib.parse import quote_plus

from config.registrations import ClientAuth
from providers.parts import Params

# Their names in metadata (OpenID Connect Core 9), the preferred first.
METHODS: dict[ClientAuth, str] = {
    "basic": "client_secret_basic",
    "post": "client_secret_post",
    "none": "none",
}


class Client(Protocol):
    """The part of a connector that its authentication needs."""

    @property
    def client_id(self) -> str: ...
    @property
    def client_secret(self) -> str: ...
    @property
    def client_auth(self) -> ClientAuth: ...


def authenticate(client: Client) -> tuple[Params, Params]:
    """Return the headers and the form fields that authenticate a client. Raises ProviderError."""
    match client.client_auth:
        case "basic":
            return {"Authorization": basic(client.client_id, client.client_secret)}, {}
        case "post":
            return {}, {"client_id": client.client_id, "client_secret": client.client_secret}
        case "none":
            return {}, {"client_id": client.client_id}


def basic(client_id: str, client_secret: str) -> str:
    """Build a client's Authorization header; both parts are form-encoded first (RFC 6749 2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def offered_method(offered: Collection[str], documented: ClientAuth | None) -> ClientAuth:
    """Choose how to send a secret where metadata offer this: as documented, otherwise Basic first,
    which every server must support (RFC 6749 2.3.1)."""
    if documented and METHODS[documented] in offered:
        return documented
    is_post = "client_secret_post" in offered and "client_secret_basic" not in offered
    return "post" if is_post else "basic"
