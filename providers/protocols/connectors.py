"""Builds the connectors: one for each registration, by protocol."""

from collections import Counter
from collections.abc import Iterable, Mapping

from config.registrations import Registration
from config.settings import Settings
from errors import SettingsError
from providers import PROVIDERS
from providers.base import Provider
from providers.http.transport import Transport
from providers.named_issuer import named_issuer
from providers.parts import OAuth1, OAuth2, OpenIDConnect
from providers.protocols.connector import Connector
from providers.protocols.firebase import NAME, Firebase, identity_issuers
from providers.protocols.oauth1 import OAuth1Client
from providers.protocols.oauth2 import OAuth2Client
from providers.protocols.openid_connect import OpenIDConnectClient

CLIENTS: Mapping[type, type[OAuth1Client | OAuth2Client]] = {
    OAuth1: OAuth1Client,
    OAuth2: OAuth2Client,
    OpenIDConnect: OpenIDConnectClient,
}


def build_connectors(
    registrations: Mapping[str, Registration],
    order: Iterable[str],
    public_url: str,
    transport: Transport,
) -> dict[str, Connector]:
    """Build one connector per registration, those that ``order`` names first. Raises SettingsError
    for a key that cannot sign."""
    faults: list[str] = []
    named = [name for name in order if name in registrations]
    connectors: dict[str, Connector] = {}
    for name in dict.fromkeys([*named, *registrations]):
        registration = registrations[name]
        provider = provider_of(name, registration)
        redirect_uri = f"{public_url}/login/{provider.name}/authorized"
        client = CLIENTS[type(provider.protocol)]
        connector = client(provider, registration, transport.named(name), redirect_uri)
        faults += connector.key_faults()
        connectors[name] = connector
    if faults:
        raise SettingsError(faults)
    tell_labels_apart(connectors)
    return connectors


def provider_of(name: str, registration: Registration) -> Provider:
    """Return the provider of a registration: of the catalogue, or an issuer that settings name."""
    return PROVIDERS.get(registration.key) or named_issuer(name, registration)


def tell_labels_apart(connectors: Mapping[str, Connector]) -> None:
    """Add the name to a label of an operator's issuer that another provider has too."""
    labels = Counter(connector.label for connector in connectors.values())
    for name, connector in connectors.items():
        if labels[connector.label] > 1 and name not in PROVIDERS:
            connector.label = f"{connector.label} ({name})"


def build_firebase(
    settings: Settings, connectors: Mapping[str, Connector], transport: Transport
) -> Firebase | None:
    """Build the verifier of the Firebase project that the settings name, if they name one."""
    if settings.firebase_project_id is None:
        return None
    configured = {name: connector.identity_issuer for name, connector in connectors.items()}
    return Firebase(
        settings.firebase_project_id,
        transport.named(NAME).get_dated_json,
        identity_issuers=identity_issuers(PROVIDERS, configured),
        closed=[name for name, each in settings.registrations.items() if each.hosted_domain],
        keys_url=settings.firebase_jwks_url,
        tenant_id=settings.firebase_tenant_id,
        trust_unsigned=settings.firebase_auth_emulator_host is not None,
    )
