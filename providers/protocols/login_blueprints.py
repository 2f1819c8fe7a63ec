"""Builds the routes in front of the connectors, by protocol."""

from collections.abc import Iterable

from providers.protocols.connector import Connector
from providers.protocols.flask_dance import LoginBlueprint, OAuth2LoginBlueprint
from providers.protocols.flask_dance_oauth1 import OAuth1LoginBlueprint
from providers.protocols.gate import Gate, TokenStore
from providers.protocols.oauth1 import OAuth1Client
from providers.protocols.oauth2 import OAuth2Client


def build_login_blueprints(
    connectors: Iterable[Connector], gate: Gate, tokens: TokenStore
) -> list[LoginBlueprint]:
    """Build a login blueprint for each connector."""
    blueprints: list[LoginBlueprint] = []
    for connector in connectors:
        if isinstance(connector, OAuth1Client):
            blueprints.append(OAuth1LoginBlueprint(connector, gate, tokens))
        elif isinstance(connector, OAuth2Client):
            blueprints.append(OAuth2LoginBlueprint(connector, gate, tokens))
    return blueprints
