"""Scopes: what a client may ask for (OpenID Connect Core 5.4, RFC 6749 3.3)."""

from collections.abc import Iterable

OPENID, PROFILE, EMAIL, OFFLINE = "openid", "profile", "email", "offline_access"
# Our own API, the list of a person's identities, and the names of their groups and roles.
ACCOUNT, IDENTITIES, GROUPS, ROLES = "account", "identities", "groups", "roles"
KNOWN = (OPENID, PROFILE, EMAIL, OFFLINE, ACCOUNT, IDENTITIES, GROUPS, ROLES)
# A client that acts for itself has nothing of these.
OF_PEOPLE = KNOWN
USUAL = (OPENID, PROFILE, EMAIL, OFFLINE)


def split(text: str | None) -> tuple[str, ...]:
    """Return the scopes of a parameter, each once and in its order."""
    return tuple(dict.fromkeys((text or "").split(" "))) if text else ()


def of_ours(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return those of the scopes that are no API's of others."""
    return tuple(scope for scope in scopes if scope in KNOWN)


def join(scopes: Iterable[str]) -> str:
    return " ".join(scopes)


def allowed(asked: Iterable[str], client_scopes: Iterable[str]) -> tuple[str, ...]:
    """Return those of the scopes that a client may have; others are dropped (RFC 6749 3.3)."""
    mine = set(client_scopes)
    return tuple(scope for scope in asked if scope in mine)
