"""An issuer's published keys (RFC 7517), fetched on first use and kept for a while."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from keys.jwk_set import Key, PublishedKey, find_candidates
from providers.http.cache import LIFETIME_SECONDS, Cached


@dataclass(frozen=True)
class PublishedKeys:
    """An issuer's published keys, and how long they may be kept."""

    keys: Sequence[PublishedKey]
    seconds: float = LIFETIME_SECONDS


class KeySet:
    """An issuer's keys, fetched on first use; ``read`` raises ProviderError."""

    def __init__(self, read: Callable[[], PublishedKeys]) -> None:
        self._published = Cached(read, lambda published: published.seconds)

    def candidates(self, kid: str | None, algorithm: str) -> list[Key]:
        """Return the keys that can have signed a token with this header. Raises ProviderError."""
        return find_candidates(self._published.get().keys, kid, algorithm)

    def newer_candidates(self, kid: str | None, algorithm: str) -> list[Key]:
        """Fetch the key set again, then do the same. Raises ProviderError.

        A set that was fetched within the last seconds is not fetched again: forged tokens must
        not make this server flood the issuer.
        """
        return find_candidates(self._published.renew().keys, kid, algorithm)

    def insist(self) -> None:
        """Load the keys as ``Cached.insist`` does. Raises ProviderError."""
        self._published.insist()

    def read(self) -> None:
        """Make sure that keys are loaded. Raises ProviderError."""
        self._published.get()
