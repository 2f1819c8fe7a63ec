"""The dialects of one site: of the providers that are on and can prove what they send."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from inbox.dialects import (
    apple,
    discord,
    facebook,
    github,
    google,
    kakao,
    naver,
    openid,
    slack,
    twitch,
    zoom,
)
from inbox.notices import Dialect
from providers.protocols.connector import Connector

STATUS_PATH = "/inbox/deletion"


def build_dialects(connectors: Mapping[str, Connector], base_url: str) -> list[Dialect]:
    """Return the dialects of these connectors. ``base_url``: where this site's routes are."""
    status_url = f"{base_url}{STATUS_PATH}"
    builders: Mapping[str, Callable[[Connector], Sequence[Dialect]]] = {
        "facebook": lambda connector: facebook.dialects(connector, status_url),
        "github": github.dialects,
        "apple": apple.dialects,
        "google": google.dialects,
        "discord": discord.dialects,
        "kakao": kakao.dialects,
        "naver": naver.dialects,
        "slack": slack.dialects,
        "twitch": twitch.dialects,
        "zoom": zoom.dialects,
    }
    found: Iterable[Sequence[Dialect]] = (
        build(connectors[name]) for name, build in builders.items() if name in connectors
    )
    own = [dialect for dialects in found for dialect in dialects]
    issuers = [openid.dialects(connector) for connector in connectors.values()]
    return [*own, *(dialect for dialects in issuers for dialect in dialects)]
