"""Event types of security event tokens (RFC 8417), as kinds of notices.

https://openid.net/specs/openid-risc-1_0-final.html
https://openid.net/specs/openid-caep-1_0-final.html
"""

from collections.abc import Mapping
from typing import Any

from inbox.notices import Kind
from inbox.reading import text_at

RISC = "https://schemas.openid.net/secevent/risc/event-type/"
OAUTH = "https://schemas.openid.net/secevent/oauth/event-type/"
CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
SSF = "https://schemas.openid.net/secevent/ssf/event-type/"

VERIFICATION, STREAM_UPDATED = f"{SSF}verification", f"{SSF}stream-updated"
RISC_VERIFICATION = f"{RISC}verification"

KINDS: Mapping[str, Kind] = {
    f"{RISC}sessions-revoked": Kind.SESSIONS_REVOKED,
    f"{RISC}account-enabled": Kind.ENABLED,
    f"{RISC}account-disabled": Kind.DISABLED,
    f"{RISC}account-purged": Kind.ACCOUNT_GONE,
    f"{RISC}account-credential-change-required": Kind.CREDENTIAL_CHANGED,
    f"{RISC}credential-compromise": Kind.CREDENTIAL_CHANGED,
    f"{RISC}identifier-changed": Kind.IDENTIFIER_CHANGED,
    f"{RISC}identifier-recycled": Kind.IDENTIFIER_CHANGED,
    f"{OAUTH}tokens-revoked": Kind.CONSENT_REVOKED,
    f"{OAUTH}token-revoked": Kind.TOKEN_REVOKED,
    f"{CAEP}session-revoked": Kind.SESSION_REVOKED,
    RISC_VERIFICATION: Kind.PING,
    VERIFICATION: Kind.PING,
}
# Changes of a credential after which its person is asked again.
TAKEN_AWAY = ("revoke", "delete")


def kind_of(uri: str, event: object) -> Kind:
    """Return the kind of an event; UNKNOWN for a type that means nothing here."""
    if uri == f"{RISC}account-disabled" and text_at(event, "reason") == "hijacking":
        return Kind.HIJACKED
    if uri == f"{CAEP}credential-change" and text_at(event, "change_type") in TAKEN_AWAY:
        return Kind.CREDENTIAL_CHANGED
    return KINDS.get(uri, Kind.UNKNOWN)


def subject_of(subject: Any, accepts: Any) -> tuple[str, str]:
    """Return the subject and the session that an event is about; empty where it names none of
    this issuer. ``accepts`` tells whether an ``iss`` is that issuer.

    RFC 9493 names formats; Google's are older (``subject_type``).
    """
    if not isinstance(subject, dict):
        return "", ""
    if subject.get("format") == "complex":
        person, _ = subject_of(subject.get("user"), accepts)
        return person, text_at(subject, "session", "id")
    is_theirs = accepts(subject.get("iss"))
    return (text_at(subject, "sub") if is_theirs else ""), ""
