"""A notice, as every dialect says it; and what a dialect is.

Terms: RFC 8417 (security event tokens), OpenID RISC and CAEP event types.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from vault.marks import TokenName


class Kind(StrEnum):
    """The kinds of reports; the values are stored, logged and counted."""

    SESSIONS_REVOKED = "sessions_revoked"
    SESSION_REVOKED = "session_revoked"
    SIGNED_OUT = "signed_out"
    CONSENT_REVOKED = "consent_revoked"
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 (a name)
    HIJACKED = "hijacked"
    DISABLED = "disabled"
    ENABLED = "enabled"
    CREDENTIAL_CHANGED = "credential_changed"
    IDENTIFIER_CHANGED = "identifier_changed"
    EMAIL_STOPPED = "email_stopped"
    EMAIL_RESUMED = "email_resumed"
    ACCOUNT_GONE = "account_gone"
    DELETION_ASKED = "deletion_asked"
    # Nothing about a person: a verification or a test, a subscription that ended.
    PING = "ping"
    STREAM_ENDED = "stream_ended"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A report of a provider, verified.

    ``key``: what the provider gives each notice once; with ``route`` it makes a second copy do
    nothing. ``issuer`` and ``subject`` name the identity; ``subject_prefix``: every identity whose
    subject begins so. ``sid``: the provider's session. ``token``: of TOKEN_REVOKED, the
    one that is meant. ``event_at``: when it happened there.
    """

    provider: str
    route: str
    key: str
    kind: Kind
    event_at: datetime
    issuer: str = ""
    subject: str = ""
    subject_prefix: str = ""
    sid: str = ""
    token: TokenName | None = None
    detail: str = ""


class Headers(Protocol):
    """The headers of a request."""

    def get(self, name: str, default: str, /) -> str:
        """Return a header's value."""


@dataclass(frozen=True)
class Delivery:
    """A request as it came. ``headers``: by name, in any case. ``form``: the fields of the body or
    the query, each once. ``at``: when it came."""

    method: str
    headers: Headers
    mimetype: str
    body: bytes = field(repr=False)
    form: Mapping[str, str] = field(repr=False, default_factory=dict)
    at: datetime = field(kw_only=True)


@dataclass(frozen=True)
class Reply:
    """The response that a provider expects. ``document`` is sent as JSON, ``text`` as it is."""

    status: int = 200
    document: Mapping[str, str] | None = None
    text: str = ""
    mimetype: str = ""


@dataclass(frozen=True)
class Reading:
    """The notices of a delivery, and the reply once they are taken. ``reply_with``: makes the reply
    from the code of a deletion's status page, if one was asked for."""

    notices: tuple[Notice, ...] = ()
    reply: Reply = field(default_factory=Reply)
    reply_with: Callable[[str], Reply] | None = None


class NoticeRefused(Exception):
    """A delivery that is not taken. ``detail`` goes to the log; it never holds what was sent."""

    def __init__(self, reply: Reply, detail: str) -> None:
        super().__init__(detail)
        self.reply = reply
        self.detail = detail


class KeysAway(Exception):
    """A signing key is unknown, and the provider's keys cannot be fetched now."""


class Dialect(Protocol):
    """One route of one provider.

    ``path``: below /inbox/. ``mimetypes``: what is accepted; empty: anything. A dialect is made
    only where this site can verify what comes.
    """

    @property
    def provider(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def methods(self) -> tuple[str, ...]: ...
    @property
    def mimetypes(self) -> tuple[str, ...]: ...

    def read(self, delivery: Delivery) -> Reading:
        """Verify a delivery, then read it. Raises NoticeRefused or KeysAway."""
