"""Responses of a token endpoint (RFC 6749 5)."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from errors import CodeRefused, Misconfigured, ProviderBusy, ProviderError
from providers.answers import HTTPAnswer
from providers.base import Provider
from providers.http.responses import is_passing, is_success, parse_json
from providers.protocols.error_codes import (
    CODE_REFUSED_ERRORS,
    MISCONFIGURED_ERRORS,
    PASSING_ERRORS,
    code_of,
    plain_code,
    with_description,
    words_of,
)

# RFC 6749 A.12, bounded.
TOKENS = ("access_token", "refresh_token", "id_token")
ACCESS_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
REQUEST_URI = re.compile(r"[\x21-\x7e]{1,2048}")
# A form (RFC 6749 B) that has one of these two members; no JSON, no page.
FORM = re.compile(rb"([^\s<>{}\"&]*&)*(access_token|error)=[^\s<>{}\"]*")


def read_token_response(
    response: HTTPAnswer, provider: Provider, secrets: Iterable[str] = ()
) -> dict[str, Any]:
    """Read a token response (RFC 6749 5.1), or one of its errors (5.2), in any encoding.

    ``secrets``: values of the request, which the log must not repeat.
    Raises Misconfigured, CodeRefused, ProviderBusy or another ProviderError.
    """
    where = f"the token endpoint answered {response.status_code}"
    answer = _read_success(response, provider, secrets, where)
    access_token = answer.get("access_token")
    if not isinstance(access_token, str) or not ACCESS_TOKEN.fullmatch(access_token):
        raise ProviderError(f"{where} without an access token that a header can carry")
    kind = answer.get("token_type")
    # Required by RFC 6749 5.1, and left out or empty by some.
    if kind not in (None, "") and str(kind).lower() != "bearer":
        raise ProviderError(f"{where} with a token type other than bearer")
    return answer


def read_request_uri(response: HTTPAnswer, provider: Provider, secrets: Iterable[str]) -> str:
    """Read the response to a pushed authorization request (RFC 9126 2.2).

    Raises Misconfigured if our client or its request is refused, otherwise ProviderError.
    """
    where = f"the pushed authorization request endpoint answered {response.status_code}"
    request_uri = _read_success(response, provider, secrets, where).get("request_uri")
    if not isinstance(request_uri, str) or not REQUEST_URI.fullmatch(request_uri):
        raise ProviderError(f"{where} without a request_uri")
    return request_uri


def _read_success(
    response: HTTPAnswer, provider: Provider, secrets: Iterable[str], where: str
) -> dict[str, Any]:
    """Return the members of a success. Raises as ``read_token_response`` does."""
    if response.status_code >= 500 or response.status_code in (408, 425, 429):
        # Whatever its body says: a grant must not end because of an outage.
        raise ProviderBusy(where)
    answer = _read_members(response, where)
    if not isinstance(answer, dict):
        raise ProviderError(f"{where} with something that is not an object")
    answer = without_empty(answer)
    # Some providers send errors with status 200, others without a code.
    if answer.get("error") or (words_of(answer) and not is_success(response)):
        error = token_error(answer, where, provider, secrets)
        is_vague = type(error) is ProviderError
        raise ProviderBusy(error.detail) if is_vague and is_passing(response) else error
    if is_passing(response):
        raise ProviderBusy(where)
    if not is_success(response):
        raise ProviderError(where)
    return answer


def without_empty(answer: dict[str, Any]) -> dict[str, Any]:
    """Return a token response without members that say nothing: null, empty or blank, or a token
    that is no text. Otherwise an empty refresh token would replace a good one."""
    return {
        name: value
        for name, value in answer.items()
        if value is not None
        and not (isinstance(value, str) and not value.strip())
        and not (name in TOKENS and not isinstance(value, str))
    }


def _read_members(response: HTTPAnswer, where: str) -> Any:
    """Decode JSON, or a form: some call theirs text/plain or text/html. Raises ProviderError."""
    body = response.content.strip()
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    is_form = FORM.fullmatch(body) is not None
    if is_form or (kind == "application/x-www-form-urlencoded" and not body.startswith(b"{")):
        return dict(parse_qsl(body.decode("utf-8", "replace")))
    return parse_json(response, where)


def token_error(
    answer: Mapping[str, Any], where: str, provider: Provider, secrets: Iterable[str]
) -> ProviderError:
    """Convert an error of the token endpoint into an exception."""
    code, words, own = code_of(answer.get("error")), words_of(answer), provider.errors
    detail = with_description(f"{where} with error {plain_code(code)}", words, secrets)
    # The words first: Atlassian calls a dead refresh token an unauthorized client.
    if any(each in words.lower() for each in own.code_refused_words):
        return CodeRefused(detail)
    if any(each in words.lower() for each in own.misconfigured_words):
        return Misconfigured(detail)
    if code in MISCONFIGURED_ERRORS | own.misconfigured:
        return Misconfigured(detail)
    if code in CODE_REFUSED_ERRORS | own.code_refused:
        return CodeRefused(detail)
    if code in PASSING_ERRORS | own.passing:
        return ProviderBusy(detail)
    return ProviderError(detail)
