"""Proofs of a delivery: HMACs over its body, and how old a signed time may be."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from inbox.notices import NoticeRefused, Reply

FRESH = timedelta(minutes=5)
# Digits of a Unix time until the year 5138.
MAX_DIGITS = 11


def is_hmac(secret: str, message: bytes, claimed: str) -> bool:
    """Tell whether this is the hexadecimal HMAC-SHA256 of a message, in constant time."""
    digest = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return hmac.compare_digest(digest.encode(), claimed.encode())


def require(condition: object, detail: str, reply: Reply) -> None:
    """Raise NoticeRefused unless the condition holds."""
    if not condition:
        raise NoticeRefused(reply, detail)


def is_fresh(signed_at: datetime, now: datetime, old: timedelta = FRESH) -> bool:
    """Tell whether a signed time is neither old nor far ahead."""
    return now - old <= signed_at <= now + FRESH


def signed_moment(stamp: str, now: datetime, reply: Reply) -> datetime:
    """Return a signed Unix time in seconds. Raises NoticeRefused unless it is fresh."""
    is_time = stamp.isascii() and stamp.isdigit() and len(stamp) <= MAX_DIGITS
    signed_at = datetime.fromtimestamp(int(stamp), UTC) if is_time else None
    require(signed_at and is_fresh(signed_at, now), "the signed time is not now", reply)
    assert signed_at is not None
    return min(signed_at, now)
