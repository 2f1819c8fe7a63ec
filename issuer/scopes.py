"""Scopes: what a client may ask for (OpenID Connect Core 5.4, RFC 6749 3.3)."""

from collections.abc import Iterable

OPENID, PROFILE, EMAIL, OFFLINE = "openid", "profile", "email", "offline_access"
# Our own API, the list of a person's identities, and the names of their groups and roles.
ACCOUNT, IDENTITIES, GROUPS, ROLES = "account", "identities", "groups", "roles"
# The administrators' API, for a client that acts for itself: nobody can consent to it.
ADMIN = "admin"
# A client that acts for itself has nothing of these.
OF_PEOPLE = (OPENID, PROFILE, EMAIL, OFFLINE, ACCOUNT, IDENTITIES, GROUPS, ROLES)
KNOWN = (*OF_PEOPLE, ADMIN)
USUAL = (OPENID, PROFILE, EMAIL, OFFLINE)


def split(text: str | None) -> tuple[str, ...]:
    """Return the scopes of a parameter, each once and in its order."""
    return tuple(dict.fromkeys((text or "").split(" "))) if text else ()


def of_ours(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return those of the scopes that are no API's of others."""
    return tuple(scope for scope in scopes if scope in OF_PEOPLE)


def of_people(client_scopes: Iterable[str]) -> tuple[str, ...]:
    """Return the scopes of a client without what it can only have for itself."""
    return tuple(scope for scope in client_scopes if scope != ADMIN)


def join(scopes: Iterable[str]) -> str:
    return " ".join(scopes)


def allowed(asked: Iterable[str], client_scopes: Iterable[str]) -> tuple[str, ...]:
    """Return those of the scopes that a client may have; others are dropped (RFC 6749 3.3)."""
    mine = set(client_scopes)
    return tuple(scope for scope in asked if scope in mine)
