"""Identity headers: what an application behind a gate learns of its visitor.

All six are in every answer, if need be empty, so that a proxy replaces what a client sent. The
assertion says the same, signed for one origin: applications that others can reach verify it.
"""

import re
import threading
import time
from collections.abc import Callable
from typing import Any

from gates.visitors import Visitor
from storage import new_id, now

PREFIX = "X-Auth-Request-"
TOKEN_TYPE, ALGORITHM = "gate+jwt", "ES256"
LIFETIME_SECONDS = 60
# Signing takes longer than everything else in a check together.
KEPT_SECONDS = 30.0
MAX_KEPT = 5000
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

# Signs claims; None if the keys must be read first.
Sign = Callable[[dict[str, Any]], str | None]


def identity_headers(visitor: Visitor, assertion: str) -> list[tuple[str, str]]:
    """Return the headers of the answer that lets a visitor pass."""
    values = {
        "User": visitor.user_id,
        "Email": _header_value(visitor.email),
        "Name": _header_value(visitor.name),
        "Groups": ",".join(visitor.groups),
        "Provider": visitor.provider,
        "Assertion": assertion,
    }
    return [(PREFIX + name, value) for name, value in values.items()]


def _header_value(text: str) -> str:
    """Return a text as UTF-8 in one line, in the form that WSGI wants (PEP 3333)."""
    return _CONTROLS.sub("", text).strip().encode().decode("latin-1")


class Assertions:
    """The assertions of one process, each kept for a while."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._kept: dict[str, tuple[float, dict[str, Any], str]] = {}
        self._lock = threading.Lock()

    def of(self, visitor: Visitor, origin: str, sign: Sign) -> str | None:
        """Return an assertion about a visitor as they are now; None if ``sign`` cannot."""
        about = self._about(visitor, origin)
        kept = self._kept.get(visitor.token_hash)
        moment = time.monotonic()
        if kept and kept[0] > moment and kept[1] == about:
            return kept[2]
        made_at = int(now().timestamp())
        times = {"iat": made_at, "exp": made_at + LIFETIME_SECONDS, "jti": new_id()}
        assertion = sign({**about, **times})
        if assertion is not None:
            self._keep(visitor.token_hash, (moment + KEPT_SECONDS, about, assertion))
        return assertion

    def _about(self, visitor: Visitor, origin: str) -> dict[str, Any]:
        claims: dict[str, Any] = {"iss": self._issuer, "aud": origin, "sub": visitor.user_id}
        if email := visitor.email:
            claims |= {"email": email, "email_verified": True}
        if visitor.name:
            claims["name"] = visitor.name
        return {**claims, "groups": list(visitor.groups), "provider": visitor.provider}

    def _keep(self, token_hash: str, kept: tuple[float, dict[str, Any], str]) -> None:
        with self._lock:
            self._kept.pop(token_hash, None)
            if len(self._kept) >= MAX_KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[token_hash] = kept
