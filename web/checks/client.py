"""The check of our client at a provider: id, secret, client authentication and redirect URI."""

from errors import CodeRefused, Misconfigured, ProviderDown, ProviderError
from providers.protocols.client_auth import METHODS
from providers.protocols.connector import Connector
from providers.protocols.oauth2 import OAuth2Client
from web.checks.findings import Said


def check_client(connector: Connector) -> Said:
    """Check that a provider is reachable and knows our client. It gets an invalid code, and must
    refuse the code, not our id, secret or redirect URI."""
    said = {"redirect_uri": connector.redirect_uri}
    error = refusal_of(connector)
    if error is None:
        return "fail", "accepted an invented code, so it is not the provider it claims to be", said
    if isinstance(error, CodeRefused):
        how = f" by {METHODS[connector.client_auth]}" if isinstance(connector, OAuth2Client) else ""
        message = f"reachable and knows the client{how}; redirect URI {connector.redirect_uri}"
        return "ok", message, said
    if not isinstance(error, ProviderDown) and (remedy := other_client_auth(connector)):
        return "fail", f"{error.detail}; {remedy}", said
    if isinstance(error, Misconfigured):
        message = f"refuses the client id, secret or redirect URI ({error.detail}); compare them "
        console = connector.provider.console
        return "fail", f"{message}with {console}; redirect URI {connector.redirect_uri}", said
    return "fail", f"{error.detail}; nobody can sign in with it until that is fixed", said


def refusal_of(connector: Connector) -> ProviderError | None:
    """Return how a provider refuses an invented code; None if it accepts it."""
    try:
        connector.check()
    except ProviderError as error:
        return error
    return None


def other_client_auth(connector: Connector) -> str | None:
    """Return what to set if the provider knows our client by another authentication than ours.

    RFC 6749 5.2 has one error for a wrong secret and for a secret that came the wrong way.
    """
    if not isinstance(connector, OAuth2Client):
        return None
    try:
        ours = connector.client_auth
    except ProviderError:
        return None
    for method in connector.possible_client_auths():
        if method != ours and isinstance(
            refusal_of(connector.with_client_auth(method)), CodeRefused
        ):
            variable = f"{connector.registration.key.upper()}_CLIENT_AUTH"
            named = f"it refuses the client by {METHODS[ours]} but knows it by {METHODS[method]}"
            return f"{named}: set {variable}={method}"
    return None
