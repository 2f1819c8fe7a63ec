"""Secrets of webhooks, and the headers that prove a message (Standard Webhooks 1.0.0)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    """Return a secret as receivers are given it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(message_id: str, timestamp: int, body: str, keys: Sequence[str]) -> dict[str, str]:
    """Return the headers of one attempt, with a signature of each secret.

    ``timestamp``: seconds since 1970, of the attempt.
    """
    signed = f"{message_id}.{timestamp}.{body}".encode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(signed, key) for key in keys),
    }


def _signature(signed: bytes, key: str) -> str:
    raw = base64.b64decode(key.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.digest(raw, signed, hashlib.sha256)).decode()
