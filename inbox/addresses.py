"""The addresses that providers are to be given: which routes there can be, what each needs, and
where it is entered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from inbox.notices import Dialect
from providers.protocols.connector import Connector

# How the keys of the issuers of OIDC_PROVIDERS begin.
NAMED = "oidc_"


@dataclass(frozen=True)
class Place:
    """A route that a provider can be given. ``path``: below /inbox/. ``where``: what to do in its
    console. ``settings``: the fields of its registration that the route needs, if any."""

    path: str
    where: str
    settings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Address:
    """A place of one site. ``is_open``: whether there is a route now. ``variables``: what has to be
    set for it."""

    provider: str
    label: str
    url: str
    where: str
    is_open: bool
    variables: tuple[str, ...]


PLACES: Mapping[str, tuple[Place, ...]] = {
    "google": (Place("", "nowhere: flask --app app inbox google register --key FILE"),),
    "apple": (
        Place(
            "",
            "Identifiers > the primary App ID > Sign in with Apple > Configure > "
            "Server-to-Server Notification Endpoint",
        ),
    ),
    "facebook": (
        Place("deauthorize", "Facebook Login > Settings > Deauthorize callback URL"),
        Place("delete", "Facebook Login > Settings > Data deletion request URL"),
    ),
    "github": (
        Place(
            "",
            "GitHub Apps only: General > Webhook: Active, Webhook URL, Webhook secret",
            ("webhook_secret",),
        ),
    ),
    "kakao": (
        Place(
            "unlink",
            "Kakao Login > Webhook > the unlink webhook, with POST",
            ("admin_key", "app_id"),
        ),
        Place("", "Kakao Login > Webhook > the account status webhook"),
    ),
    "naver": (Place("", "API settings > the callback URL of unlinked accounts"),),
    "slack": (
        Place(
            "",
            "Event Subscriptions > Request URL; subscribe to tokens_revoked and app_uninstalled",
            ("signing_secret",),
        ),
    ),
    "discord": (
        Place(
            "",
            "Webhooks > Endpoint URL; Events: Application Deauthorized",
            ("public_key",),
        ),
    ),
    "twitch": (
        Place(
            "",
            "nowhere: flask --app app inbox twitch register",
            ("webhook_secret",),
        ),
    ),
    "zoom": (
        Place(
            "",
            "Feature > Event Subscriptions > Event notification endpoint URL; "
            "event App Deauthorized",
            ("webhook_secret",),
        ),
    ),
}
# For issuers of OIDC_PROVIDERS: a parameter of the registration there, and a stream.
ISSUERS = (
    Place(
        "logout", "backchannel_logout_uri of the client, with backchannel_logout_session_required"
    ),
    Place(
        "",
        "a stream of the Shared Signals Framework, by push",
        ("ssf_configuration_url", "ssf_authorization"),
    ),
)


def addresses(
    connectors: Mapping[str, Connector], dialects: Iterable[Dialect], base_url: str
) -> list[Address]:
    """Return the addresses for the providers that are on. ``dialects``: those of the site."""
    routes = {dialect.path for dialect in dialects}
    return [
        _address(connector, place, routes, base_url)
        for connector in connectors.values()
        for place in places_of(connector)
    ]


def places_of(connector: Connector) -> tuple[Place, ...]:
    """Return the places for a provider; none if it reports nothing."""
    is_named = connector.registration.key.startswith(NAMED) and connector.issuer is not None
    return ISSUERS if is_named else PLACES.get(connector.name, ())


def _address(connector: Connector, place: Place, routes: set[str], base_url: str) -> Address:
    path = f"{connector.name}/{place.path}".rstrip("/")
    key = connector.registration.key.upper()
    return Address(
        provider=connector.name,
        label=connector.label,
        url=f"{base_url}/inbox/{path}",
        where=place.where,
        is_open=path in routes,
        variables=tuple(f"{key}_{each}".upper() for each in place.settings),
    )
