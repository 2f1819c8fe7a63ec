"""Streams: what an operator sets up through a provider's API, so that it reports to this site."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from errors import ProviderError
from providers.answers import HTTPAnswer
from providers.http.responses import Answer, is_success, parse_json
from providers.http.transport import HEADERS
from providers.protocols.connector import Connector

UNPRINTABLE = re.compile(r"[^ -~]+")


class StreamFailed(Exception):
    """A provider did not do what was asked. The message tells the operator what to do; it holds
    nothing secret."""


@dataclass(frozen=True)
class State:
    """The state of a stream, as its provider says: ``none`` if there is no stream. ``url``: where
    it reports to."""

    status: str
    url: str = ""


def call(
    connector: Connector, method: str, url: str, headers: Mapping[str, str], document: object = None
) -> Answer:
    """Call a provider's API. Raises ProviderError."""
    sent = {**HEADERS, **headers}
    return connector.http.ask(method, url, headers=sent, document=document)


def document_of(answer: HTTPAnswer) -> Mapping[str, object]:
    """Return the JSON object of a success. Raises StreamFailed."""
    if not is_success(answer):
        raise StreamFailed(f"{answer.status_code}: {words_of(answer) or 'without a reason'}")
    document = parse_json(answer, answer.url)
    return document if isinstance(document, dict) else {}


def words_of(answer: HTTPAnswer) -> str:
    """Return the message of an error, printable and cut."""
    try:
        said = parse_json(answer, answer.url)
    except ProviderError:
        return ""
    inner = said.get("error") if isinstance(said, dict) else None
    said = inner if isinstance(inner, dict) else said
    message = said.get("message") if isinstance(said, dict) else None
    return UNPRINTABLE.sub(" ", message)[:300] if isinstance(message, str) else ""
