"""States of verifications: a sender of security events returns ours, so that we know that what came
was asked for (Shared Signals Framework 1.0, 8.1.4). Any process can tell its own from another's."""

import hmac
import time

from flask import current_app

LIFETIME_SECONDS = 600
PURPOSE = b"quickstep: state of a verification"


def make(provider: str) -> str:
    """Return a state for a verification that is asked for now."""
    at = str(int(time.time()))
    return f"{at}.{_sign(at, provider)}"


def is_ours(state: object, provider: str) -> bool:
    """Tell whether a state was made here within the last minutes."""
    at, _, signature = state.partition(".") if isinstance(state, str) else ("", "", "")
    if not (at.isascii() and at.isdigit()) or len(at) > 11:
        return False
    is_signed = hmac.compare_digest(_sign(at, provider).encode(), signature.encode())
    return is_signed and int(at) > time.time() - LIFETIME_SECONDS


def _sign(at: str, provider: str) -> str:
    key = hmac.digest(str(current_app.secret_key).encode(), PURPOSE, "sha256")
    return hmac.new(key, f"{provider}\n{at}".encode(), "sha256").hexdigest()
