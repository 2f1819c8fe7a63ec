"""Security event tokens (RFC 8417): verification, and the refusals of RFC 8935 2.4."""

import time
from collections.abc import Collection, Container
from dataclasses import dataclass
from typing import Any, Literal

from errors import IdTokenRefused
from inbox.notices import Delivery, NoticeRefused, Reply
from inbox.reading import parse_object
from keys.jwt import LEEWAY_SECONDS, Keys, number, read_segment, verify_signature

TYPE = "secevent+jwt"
FUTURE_SECONDS = 300
CONTENT_TYPE = "application/secevent+jwt"


def refused(err: str, description: str) -> NoticeRefused:
    """Return the refusal of a token (RFC 8935 2.4)."""
    return NoticeRefused(Reply(400, {"err": err, "description": description}), description)


@dataclass(frozen=True)
class Expected:
    """The claims that a token must have. ``types``: of the header; None: any. ``refuses``: claims
    that only other kinds of tokens have. ``exp``: whether a token with one is refused, checked, or
    taken as it is."""

    keys: Keys
    issuers: Container[str]
    audiences: Container[str]
    types: Container[str] | None = (TYPE,)
    refuses: Collection[str] = ("sub", "nonce")
    exp: Literal["refused", "checked", "ignored"] = "refused"


def verify(token: str, expected: Expected) -> dict[str, Any]:
    """Verify a token; return its claims. Nothing but the header is read before the signature holds.

    Raises NoticeRefused, or KeysAway.
    """
    try:
        header = read_segment(token, 0, "header")
    except (IdTokenRefused, ValueError):
        raise refused("invalid_request", "This is no signed token.") from None
    if expected.types is not None and str(header.get("typ", "")).lower() not in expected.types:
        raise refused("invalid_request", "The typ of the header is another.")
    try:
        claims, _algorithm = verify_signature(token, expected.keys)
    except IdTokenRefused:
        raise refused("invalid_key", "The signature does not hold.") from None
    _check_claims(claims, expected)
    return claims


def _check_claims(claims: dict[str, Any], expected: Expected) -> None:
    issuer, audience = claims.get("iss"), claims.get("aud")
    if not isinstance(issuer, str) or issuer not in expected.issuers:
        raise refused("invalid_issuer", "The iss is another.")
    audiences = audience if isinstance(audience, list) else [audience]
    if not any(isinstance(each, str) and each in expected.audiences for each in audiences):
        raise refused("invalid_audience", "The aud is another.")
    if any(name in claims for name in expected.refuses):
        raise refused("invalid_request", "This is another kind of token.")
    if not isinstance(claims.get("jti"), str) or not claims["jti"]:
        raise refused("invalid_request", "The jti is missing.")
    _check_times(claims, expected)
    if isinstance(claims.get("events"), str):  # Apple writes it so
        claims["events"] = parse_object(claims["events"], Reply(400, {"err": "invalid_request"}))
    if not isinstance(claims.get("events"), dict):
        raise refused("invalid_request", "The events are no object.")


def _check_times(claims: dict[str, Any], expected: Expected) -> None:
    at = time.time()
    try:
        issued_at = number(claims, "iat")
        expires_at = number(claims, "exp") if "exp" in claims else None
    except IdTokenRefused:
        raise refused("invalid_request", "A time is missing, or no number.") from None
    if issued_at > at + FUTURE_SECONDS:
        raise refused("invalid_request", "The iat is in the future.")
    if expires_at is None or expected.exp == "ignored":
        return
    if expected.exp == "refused" or expires_at < at - LEEWAY_SECONDS:
        raise refused("invalid_request", "The exp has passed, or does not belong here.")


def each_event(claims: dict[str, Any]) -> list[tuple[str, object, str]]:
    """Return type, content and key of each event of verified claims; there may be several."""
    events = enumerate(sorted(claims["events"].items()))
    return [(uri, event, f"{claims['jti']}:{number}") for number, (uri, event) in events]


def text_of(delivery: Delivery) -> str:
    """Return the body as text. Raises NoticeRefused."""
    try:
        return delivery.body.decode("ascii").strip()
    except UnicodeDecodeError:
        raise refused("invalid_request", "The body is no token.") from None
