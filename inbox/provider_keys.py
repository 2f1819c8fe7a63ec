"""The keys by which providers sign what they report.

No provider is asked while one of its deliveries is answered: keys are fetched before, and again in
the background. A key id that is unknown is looked up at most once a minute, for two seconds.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from typing import Protocol, runtime_checkable

import structlog

from errors import ProviderError
from inbox.notices import KeysAway
from keys.jwk_set import Key, PublishedKey, find_candidates, import_jwk_set
from providers.http.breaker import mark_as_beside
from providers.protocols.connector import Connector

log = structlog.get_logger()

AGAIN_SECONDS = 60
WAIT_SECONDS = 2
REFRESH_SECONDS = 30 * 60

Read = Callable[[], Sequence[PublishedKey]]

_fetching = ThreadPoolExecutor(4, "inbox keys", mark_as_beside)


class ProviderKeys:
    """One provider's keys. ``read`` fetches them, and raises ProviderError."""

    def __init__(self, provider: str, read: Read) -> None:
        self._provider = provider
        self._read = read
        self._lock = threading.Lock()
        self._held: Sequence[PublishedKey] = ()
        self._asked_at = self._read_at = float("-inf")
        self._fetch: Future[None] | None = None

    def candidates(self, kid: str | None, algorithm: str) -> list[Key]:
        """Return the keys that can have signed a token. Raises KeysAway."""
        if not self._held:
            self._wait()
        return find_candidates(self._held, kid, algorithm)

    def newer_candidates(self, kid: str | None, algorithm: str) -> list[Key]:
        """Fetch the keys again, unless that was within the last minute; then do the same. Raises
        KeysAway if they cannot be had."""
        self._wait()
        return find_candidates(self._held, kid, algorithm)

    def _wait(self) -> None:
        fetch = self._begin()
        try:
            fetch.result(WAIT_SECONDS)
        except TookTooLong:
            raise KeysAway from None
        except ProviderError as error:
            raise KeysAway from error

    def _begin(self) -> Future[None]:
        """Return the fetch of the last minute, or begin one."""
        with self._lock:
            is_recent = time.monotonic() - self._asked_at < AGAIN_SECONDS
            if self._fetch is None or (self._fetch.done() and not is_recent):
                self._asked_at = time.monotonic()
                self._fetch = _fetching.submit(self._read_now)
            return self._fetch

    def _read_now(self) -> None:
        self._held = self._read()
        self._read_at = time.monotonic()

    def refresh_if_due(self) -> float:
        """Fetch the keys in the background, if they are old; what is held stays if that fails.
        Return the seconds until they are due again."""
        due_in = self._read_at + REFRESH_SECONDS - time.monotonic()
        if due_in > 0:
            return due_in
        try:
            self._read_now()
        except ProviderError as error:
            log.warning("notice_keys_away", provider=self._provider, detail=error.detail)
            return AGAIN_SECONDS
        return REFRESH_SECONDS


@runtime_checkable
class WithKeys(Protocol):
    """A dialect whose deliveries are signed with keys of its provider."""

    @property
    def provider(self) -> str: ...
    @property
    def keys(self) -> ProviderKeys: ...


def published_keys(connector: Connector) -> Sequence[PublishedKey]:
    """Read the keys that an issuer's metadata name. Raises ProviderError."""
    assert connector.issuer is not None
    return import_jwk_set(connector.http.get_json(connector.issuer.metadata().jwks_uri))
