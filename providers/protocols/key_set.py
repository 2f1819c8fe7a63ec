"""An issuer's published keys (RFC 7517), fetched on first use and kept for a while."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from errors import IdTokenRefused
from keys.jwt import Key
from providers.http.cache import LIFETIME_SECONDS, Cached


@dataclass(frozen=True)
class PublishedKeys:
    """An issuer's keys by key id, and how long they may be kept."""

    by_id: Mapping[str, Key]
    seconds: float = LIFETIME_SECONDS


class KeySet:
    """An issuer's keys, fetched on first use; ``read`` raises ProviderError."""

    def __init__(self, read: Callable[[], PublishedKeys]) -> None:
        self._published = Cached(read, lambda published: published.seconds)

    def key(self, kid: str | None) -> Key:
        """Return the key of that id; without an id, the only key. Raises ProviderError.

        For an unknown id the key set is fetched again, at most once a minute: tokens with invented
        ids must not make this server flood the issuer.
        """
        found = _find(self._published.get(), kid) or _find(self._published.renew(), kid)
        if found is None:
            raise IdTokenRefused("the id_token is signed with a key the issuer does not publish")
        return found

    def read(self) -> None:
        """Make sure that keys are loaded. Raises ProviderError."""
        self._published.get()


def _find(published: PublishedKeys, kid: str | None) -> Key | None:
    keys = published.by_id
    if kid is None:
        return next(iter(keys.values())) if len(keys) == 1 else None
    return keys.get(kid)
