"""An issuer's published keys (RFC 7517), read when they are first needed and kept for a while."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from errors import IdTokenRefused
from keys.jwt import Key
from providers.http.cache import LIFETIME_SECONDS, Cached


@dataclass(frozen=True)
class PublishedKeys:
    """What an issuer publishes: its keys by key id, and for how long that may be kept."""

    by_id: Mapping[str, Key]
    seconds: float = LIFETIME_SECONDS


class KeySet:
    """An issuer's keys, read when they are first needed; ``read`` raises ProviderError."""

    def __init__(self, read: Callable[[], PublishedKeys]) -> None:
        self._published = Cached(read, lambda published: published.seconds)

    def key(self, kid: str | None) -> Key:
        """The key of that id; without an id, the only key. Raises ProviderError.

        An unknown id makes the key set be read again, at most once a minute: whoever sends
        tokens with made-up ids must not make this server hammer the issuer.
        """
        found = _find(self._published.get(), kid) or _find(self._published.renew(), kid)
        if found is None:
            raise IdTokenRefused("the id_token is signed with a key the issuer does not publish")
        return found

    def read(self) -> None:
        """Make sure that there are keys. Raises ProviderError."""
        self._published.get()


def _find(published: PublishedKeys, kid: str | None) -> Key | None:
    keys = published.by_id
    if kid is None:
        return next(iter(keys.values())) if len(keys) == 1 else None
    return keys.get(kid)
