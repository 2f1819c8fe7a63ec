"""The streams that are set up with a key file, by provider."""

from collections.abc import Callable, Mapping
from typing import Protocol

from inbox import google_stream
from inbox.streams import State
from providers.protocols.connector import Connector


class Stream(Protocol):
    """A stream. Each verb raises StreamFailed, or ProviderError."""

    def register(self, url: str) -> None: ...
    def start(self) -> None: ...
    def status(self) -> State: ...
    def stop(self) -> None: ...
    def verify(self) -> str: ...


# Each opens a stream with the text of its key file. Raises StreamFailed.
STREAMS: Mapping[str, Callable[[Connector, str], Stream]] = {"google": google_stream.open_stream}
