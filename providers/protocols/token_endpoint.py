"""Responses of a token endpoint (RFC 6749 5)."""

import re
from typing import Any
from urllib.parse import parse_qsl

from errors import CodeRefused, Misconfigured, ProviderError
from providers.base import Provider
from providers.http.responses import HTTPAnswer, parse_json
from providers.protocols.error_codes import (
    CODE_REFUSED_ERRORS,
    MISCONFIGURED_ERRORS,
    code_of,
    plain_code,
)

# RFC 6749 A.12, bounded.
ACCESS_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")


def read_token_response(response: HTTPAnswer, provider: Provider) -> dict[str, Any]:
    """Read a token response (RFC 6749 5.1), or one of its errors (5.2), in any encoding.

    Raises Misconfigured, CodeRefused or another ProviderError.
    """
    where = f"the token endpoint answered {response.status_code}"
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        answer: Any = dict(parse_qsl(response.content.decode("utf-8", "replace")))
    else:
        answer = parse_json(response.content, where)
    if not isinstance(answer, dict):
        raise ProviderError(f"{where} with something that is not an object")
    # Some providers send errors with status 200.
    if answer.get("error"):
        raise token_error(answer["error"], where, provider)
    if response.status_code != 200:
        raise ProviderError(where)
    access_token = answer.get("access_token")
    if not isinstance(access_token, str) or not ACCESS_TOKEN.fullmatch(access_token):
        raise ProviderError(f"{where} without an access token that a header can carry")
    kind = answer.get("token_type", "bearer")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise ProviderError(f"{where} with a token type other than bearer")
    return answer


def token_error(error: object, where: str, provider: Provider) -> ProviderError:
    """Convert an error of the token endpoint into an exception."""
    code = code_of(error)
    detail = f"{where} with error {plain_code(code)}"
    if code in MISCONFIGURED_ERRORS | provider.errors.misconfigured:
        return Misconfigured(detail)
    if code in CODE_REFUSED_ERRORS | provider.errors.code_refused:
        return CodeRefused(detail)
    return ProviderError(detail)
