"""Fake issuers that no product knows beforehand; only settings name them. Not in demo mode. There
are two, because they must not influence each other.
"""

from simulator.clients import Client
from simulator.openid import OpenIDLookAlike


class NamedIssuer(OpenIDLookAlike):
    always_tells_auth_time = True
    sends_iss = True
    par_path = "/par"
    revoke_path = "/revoke"

    @classmethod
    def credentials(cls, client: Client) -> dict[str, str]:
        upper = f"OIDC_{cls.name.upper()}"
        return {
            "OIDC_PROVIDERS": cls.name,
            f"{upper}_CLIENT_ID": client.client_id,
            f"{upper}_CLIENT_SECRET": client.client_secret,
        }

    @classmethod
    def settings(cls, url: str) -> dict[str, str]:
        return {f"OIDC_{cls.name.upper()}_ISSUER": url}

    def subject(self, person: object) -> str:
        """Return a short subject, the same at both issuers."""
        return f"user-{getattr(person, 'key', '')}"


class Acme(NamedIssuer):
    name = "acme"
    label = "Acme"


class Globex(NamedIssuer):
    name = "globex"
    label = "Globex"
