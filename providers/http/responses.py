"""Responses of providers: status, freshness, JSON."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from urllib3 import HTTPHeaderDict

from errors import ProviderError
from providers.base import NotShared


class HTTPAnswer(Protocol):
    """The part of a response that we read: an Answer, or a response of requests."""

    @property
    def url(self) -> str: ...
    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def content(self) -> bytes: ...


@dataclass(frozen=True)
class Answer:
    """A provider's response with its whole body. Header names are case-insensitive."""

    url: str = field(repr=False)
    status_code: int
    headers: HTTPHeaderDict = field(repr=False)
    content: bytes = field(repr=False)

    def values_of(self, name: str) -> list[str]:
        """Return all values of a header that may come several times."""
        return self.headers.getlist(name)


def fresh_seconds(headers: Mapping[str, str]) -> float | None:
    """Return how long a response may be kept (RFC 9111 4.2.1): max-age minus Age; None if
    unknown."""
    said = headers.get("Cache-Control", "").lower()
    directives = dict(part.strip().partition("=")[::2] for part in said.split(","))
    if "no-store" in directives or "no-cache" in directives:
        return 0
    max_age, age = directives.get("max-age", "").strip('"'), headers.get("Age", "")
    if not re.fullmatch(r"[0-9]{1,9}", max_age):
        return None
    already = int(age) if re.fullmatch(r"[0-9]{1,9}", age) else 0
    return max(0, int(max_age) - already)


def read_json(response: HTTPAnswer) -> Any:
    """Return the JSON of a successful response.

    Raises NotShared (401, 403, 404) or ProviderError: any other status, or not JSON.
    """
    where = f"{place(response.url)} answered {response.status_code}"
    if response.status_code in (401, 403, 404):
        raise NotShared(where)
    if response.status_code != 200:
        raise ProviderError(where)
    return parse_json(response.content, where)


def parse_json(body: bytes, where: str) -> Any:
    """Parse JSON. Raises ProviderError if it is not JSON, not UTF-8, or nested too deep."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProviderError(f"{where} without JSON ({type(error).__name__})") from None


def place(url: str | None) -> str:
    """Return where a request went, without its query, which may hold secrets."""
    return (url or "").partition("?")[0]
