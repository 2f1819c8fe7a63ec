"""Builds the connectors: one for each registration, by protocol."""

from collections.abc import Iterable, Mapping

from config.registrations import Registration
from providers import PROVIDERS
from providers.base import Provider
from providers.http.transport import Transport
from providers.named_issuer import named_issuer
from providers.protocols.connector import Connector
from providers.protocols.oauth1 import OAuth1Client
from providers.protocols.oauth2 import OAuth2Client
from providers.protocols.openid_connect import OpenIDConnectClient


def build_connectors(
    registrations: Mapping[str, Registration],
    order: Iterable[str],
    public_url: str,
    transport: Transport,
) -> dict[str, Connector]:
    """Build one connector per registration, those that ``order`` names first."""
    named = [name for name in order if name in registrations]
    connectors: dict[str, Connector] = {}
    for name in dict.fromkeys([*named, *registrations]):
        registration = registrations[name]
        provider = PROVIDERS.get(registration.key) or named_issuer(name, registration)
        redirect_uri = f"{public_url}/login/{provider.name}/authorized"
        client = client_class(provider)
        connectors[name] = client(provider, registration, transport.named(name), redirect_uri)
    return connectors


def client_class(provider: Provider) -> type[OAuth1Client | OAuth2Client]:
    """Return the protocol client for a provider."""
    if provider.issuer:
        return OpenIDConnectClient
    return OAuth1Client if provider.request_token_endpoint else OAuth2Client
