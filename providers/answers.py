"""The part of a provider's HTTP response that is read."""

from collections.abc import Mapping
from typing import Protocol


class HTTPAnswer(Protocol):
    """An Answer (http/responses.py), or a response of requests."""

    @property
    def url(self) -> str: ...
    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def content(self) -> bytes: ...
