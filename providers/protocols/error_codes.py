"""Error codes: those of the standards, and where responses carry them."""

from collections.abc import Iterable, Mapping
from typing import Any

from keys.strict_json import InvalidJSON, parse_strict_json
from providers.answers import HTTPAnswer

# Codes that mean our settings: RFC 6749 4.1.2.1 and 5.2.
MISCONFIGURED_ERRORS = frozenset(
    {
        "invalid_client",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_response_type",
        "invalid_scope",
        "redirect_uri_mismatch",
        "invalid_redirect_uri",
    }
)
# Codes that mean that the person refused.
CANCELLED_ERRORS = frozenset({"access_denied", "user_denied"})
# Codes that mean that a later try may succeed: RFC 6749 4.1.2.1, RFC 8628 3.5, and Slack's.
PASSING_ERRORS = frozenset({"temporarily_unavailable", "server_error", "slow_down", "ratelimited"})
# Codes that mean the code or the refresh token.
# RFC 6749 5.2, and OpenID Connect Core 3.1.2.6 for a refresh that needs the person again.
CODE_REFUSED_ERRORS = frozenset(
    {"invalid_grant", "interaction_required", "login_required", "consent_required"}
)
# RFC 7009 has no such error: an unknown token counts as revoked. Google has.
GONE_ERRORS = frozenset({"invalid_token"})
# The length of a description in the log, and the part of it that is looked at.
DESCRIPTION_CHARACTERS, DESCRIPTION_READ_CHARACTERS = 300, 4096


def plain_code(text: str) -> str:
    """Shorten a provider's error code to characters that are safe in a log."""
    return "".join(c for c in text[:60] if c.isascii() and (c.isalnum() or c in "_-. ")) or "?"


def with_description(detail: str, description: object, secrets: Iterable[str] = ()) -> str:
    """Add a provider's description of an error to our detail: one line of printable characters, of
    limited length, and without the ``secrets`` that it may repeat."""
    if not isinstance(description, str):
        return detail
    text = description[:DESCRIPTION_READ_CHARACTERS]
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "…")
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f'{detail} ("{words[:DESCRIPTION_CHARACTERS]}")' if words else detail


def words_of(answer: Mapping[str, Any]) -> str:
    """Return the description of an error response, under the names that providers use."""
    error = answer.get("error")
    inner = error.get("message") if isinstance(error, dict) else None
    said = (inner, *(answer.get(name) for name in ("error_description", "message", "reason")))
    return next((each for each in said if isinstance(each, str)), "")


def code_of(error: object) -> str:
    """Read the ``error`` of a JSON response: a code (RFC 6749 5.2), or the Graph API's object."""
    return str(error.get("code")) if isinstance(error, dict) else str(error or "")


def api_error_code(response: HTTPAnswer) -> str:
    """Return the error code in a JSON response; empty if there is none."""
    try:
        answer = parse_strict_json(response.content)
    except InvalidJSON:
        return ""
    return code_of(answer.get("error")) if isinstance(answer, dict) else ""
