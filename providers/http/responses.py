"""Responses of providers: status, freshness, JSON."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from urllib3 import HTTPHeaderDict

from errors import ProviderBusy, ProviderError
from keys.strict_json import InvalidJSON, parse_strict_json
from providers.answers import HTTPAnswer
from providers.base import NotShared

# How many requests a client may still send.
REMAINING = ("X-RateLimit-Remaining", "X-Rate-Limit-Remaining", "RateLimit-Remaining")
PASSING_WORDS = re.compile(
    rb"rate.?limit|too.?many.?requests|quota.?exceeded|resource_exhausted|throttl", re.IGNORECASE
)


# Charsets of text: Python has others, that execute escapes or unpack.
CHARSET = re.compile(
    r'charset="?(?P<name>(?P<single>us-ascii|iso-8859-\d{1,2}|windows-125\d|koi8-[ru])'
    r'|utf-?16(le|be)?|euc-(jp|kr)|shift_jis|gbk|gb2312|gb18030|big5)"?\s*(;|$)'
)


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

    Raises NotShared (403, 404), ProviderBusy if a later try may succeed, or ProviderError: any
    other status, or not JSON.
    """
    check_status(response, not_shared=(403, 404))
    return parse_json(response, _where(response))


def check_status(response: HTTPAnswer, not_shared: tuple[int, ...]) -> None:
    """Raise as ``read_json`` does, unless the response is a success. A status of ``not_shared``
    counts only in the API's own words: a page of HTML comes from a proxy or a firewall."""
    where = _where(response)
    if is_success(response):
        return
    if is_passing(response):
        raise ProviderBusy(where)
    if response.status_code in not_shared and is_of_the_api(response):
        raise NotShared(where)
    raise ProviderError(where)


def _where(response: HTTPAnswer) -> str:
    return f"{place(response.url)} answered {response.status_code}"


def is_success(response: HTTPAnswer) -> bool:
    """Whether the status means success (RFC 9110 15.3): some create a token, with 201."""
    return 200 <= response.status_code < 300


def is_passing(response: HTTPAnswer) -> bool:
    """Whether a failure says by itself that a later try may succeed: GitHub, Google and others
    refuse with 403 above a rate limit."""
    if response.status_code >= 500 or response.status_code in (408, 425, 429):
        return True
    if response.status_code < 400:
        return False
    return (
        "Retry-After" in response.headers
        or any(response.headers.get(name, "").strip() == "0" for name in REMAINING)
        or PASSING_WORDS.search(response.content[:4096]) is not None
    )


def is_of_the_api(response: HTTPAnswer) -> bool:
    """Whether a refusal is in the API's own words, not a page of a proxy or a firewall."""
    kind = response.headers.get("Content-Type", "").lower()
    # RFC 6750 3: the error may be in this header alone.
    return "html" not in kind or "insufficient_scope" in response.headers.get(
        "WWW-Authenticate", ""
    )


def parse_json(response: HTTPAnswer, where: str) -> Any:
    """Parse strict JSON (RFC 8259). Raises ProviderError if it is anything else, neither UTF-8 nor
    in the declared charset, or nested too deep."""
    try:
        return parse_strict_json(_text_of(response))
    except InvalidJSON as error:
        raise ProviderError(f"{where} without JSON ({str(error)[:100]})") from None


def _text_of(response: HTTPAnswer) -> str | bytes:
    """Decode a body by the charset that it declares; JSON is UTF-8 otherwise (RFC 8259 8.1).

    A charset of one byte decodes anything, so what is UTF-8 counts as UTF-8 first.
    """
    body = response.content
    declared = CHARSET.search(response.headers.get("Content-Type", "").lower())
    if declared is None or (declared["single"] and _is_utf8(body)):
        return body
    try:
        return body.decode(declared["name"])
    except UnicodeDecodeError:
        return body


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def place(url: str | None) -> str:
    """Return where a request went, without its query, which may hold secrets."""
    return (url or "").partition("?")[0]
