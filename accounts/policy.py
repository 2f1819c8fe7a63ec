"""The policy that the settings and the configured providers amount to."""

from collections.abc import Mapping

from access.rules import Rules
from accounts.rules import Policy
from config.settings import Settings
from providers.protocols.connector import Connector
from providers.protocols.firebase import NAME, Firebase


def build_policy(
    settings: Settings,
    connectors: Mapping[str, Connector],
    firebase: Firebase | None,
    access: Rules | None = None,
) -> Policy:
    """Build the rules of linking and signing up, and list the identities that can sign in."""
    on_the_web = frozenset(
        (name, connector.identity_issuer) for name, connector in connectors.items()
    )
    in_apps = frozenset([(NAME, firebase.issuer)] if firebase else [])
    return Policy(
        settings.account_linking,
        settings.signups,
        settings.allowed_email_domains,
        usable=on_the_web | in_apps,
        apps_only=in_apps,
        access=access,
        orphan_days=settings.inbox_grace_days if settings.inbox_orphans == "delete" else None,
        admins=frozenset(
            (provider, connectors[provider].identity_issuer, subject)
            for provider, _, subject in (each.partition(":") for each in settings.admins)
            if provider in connectors
        ),
    )
