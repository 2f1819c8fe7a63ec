"""Proofs of a delivery: HMACs over its body, and how old a signed time may be."""

import hashlib
import hmac
from datetime import datetime, timedelta

from inbox.notices import NoticeRefused, Reply

FRESH = timedelta(minutes=5)


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
