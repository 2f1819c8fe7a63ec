"""Client authentication at a provider (RFC 6749 2.3.1, OpenID Connect Core 9)."""

import base64
import time
from collections.abc import Collection
from copy import copy
from typing import Self
from urllib.parse import quote_plus

from config.registrations import ClientAuth, Registration
from errors import Misconfigured
from providers.base import Provider
from providers.http.transport import Transport
from providers.parts import AuthorizationCode, Params
from providers.protocols.connector import Connector

# Their names in metadata (OpenID Connect Core 9), the preferred first.
METHODS: dict[ClientAuth, str] = {
    "basic": "client_secret_basic",
    "post": "client_secret_post",
    "private_key_jwt": "private_key_jwt",
    "none": "none",
}
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# A generated client secret is valid for an hour, and replaced well before.
MADE_SECRET_SECONDS = 3000


class AuthenticatedClient(Connector):
    """A client with a secret, a key, or neither, and the ways to authenticate with them."""

    protocol: AuthorizationCode

    def __init__(
        self, provider: Provider, registration: Registration, http: Transport, redirect_uri: str
    ) -> None:
        super().__init__(provider, registration, http, redirect_uri)
        assert isinstance(provider.protocol, AuthorizationCode)
        self.protocol = provider.protocol
        self._made_secret = ("", 0.0)

    @property
    def client_secret(self) -> str:
        """Return the client secret; a generated one is kept for most of its hour."""
        make = self.protocol.make_secret
        if make is None:
            return self.registration.secret
        secret, made_at = self._made_secret
        if not 0 <= time.time() - made_at < MADE_SECRET_SECONDS:  # future: clock set back
            made_at = time.time()
            secret = make(self.registration, int(made_at))
            self._made_secret = (secret, made_at)
        return secret

    @property
    def client_auth(self) -> ClientAuth:
        """Return how we authenticate at the token endpoint (RFC 6749 2.3.1).

        Raises ProviderError.
        """
        if self.registration.client_auth:
            return self.registration.client_auth
        if self.protocol.make_secret is None:
            if self.registration.private_key:
                return "private_key_jwt"
            if not self.registration.secret:
                return "none"
        return self.known_client_auth

    def possible_client_auths(self) -> tuple[ClientAuth, ...]:
        """Return the ways in which our settings let us authenticate."""
        by_secret: tuple[ClientAuth, ...] = ("basic", "post") if self.client_secret else ()
        has_key = self.registration.private_key and self.protocol.make_secret is None
        by_key: tuple[ClientAuth, ...] = ("private_key_jwt",) if has_key else ()
        return (*by_secret, *by_key, "none")

    def with_client_auth(self, method: ClientAuth) -> Self:
        """Return a copy that authenticates in this way."""
        other = copy(self)
        other.registration = self.registration.model_copy(update={"client_auth": method})
        return other

    @property
    def known_client_auth(self) -> ClientAuth:
        """Return what the provider takes, as far as that is known. Raises ProviderError."""
        return self.protocol.client_auth or "post"

    def client_assertion(self, _url: str) -> str:
        """Sign a JWT by which this endpoint knows us (RFC 7523 2.2). Raises ProviderError."""
        raise Misconfigured("private_key_jwt is for OpenID Connect providers")


def authenticate(client: AuthenticatedClient, url: str) -> tuple[Params, Params]:
    """Return the headers and the form fields that authenticate a client at an endpoint. Raises
    ProviderError."""
    match client.client_auth:
        case "basic":
            return {"Authorization": basic(client.client_id, client.client_secret)}, {}
        case "post":
            return {}, {"client_id": client.client_id, "client_secret": client.client_secret}
        case "private_key_jwt":
            assertion = client.client_assertion(url)
            own = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
            return {}, {"client_id": client.client_id, **own}
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
