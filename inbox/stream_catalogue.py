"""The streams that are set up through an API, by provider."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from inbox import google_stream, twitch_stream
from inbox.streams import State
from providers.protocols.connector import Connector


class Stream(Protocol):
    """A stream. Each verb raises StreamFailed, or ProviderError."""

    def register(self, url: str) -> None: ...
    def start(self) -> None: ...
    def status(self) -> State: ...
    def stop(self) -> None: ...


@dataclass(frozen=True)
class StreamKind:
    """How a provider's stream is opened. ``open`` gets the text of a key file, empty unless one is
    needed, and raises StreamFailed. ``verify`` has a verification sent, and returns its state,
    which its receipt has as detail."""

    open: Callable[[Connector, str], Stream]
    needs_key: bool = False
    verify: Callable[[Connector, str], str] | None = None


STREAMS: Mapping[str, StreamKind] = {
    "google": StreamKind(
        google_stream.open_stream,
        needs_key=True,
        verify=lambda connector, key: google_stream.open_stream(connector, key).verify(),
    ),
    # A subscription is verified as it is registered.
    "twitch": StreamKind(twitch_stream.open_stream),
}
