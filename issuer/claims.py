"""Claims: what a client learns of a person, by scope (OpenID Connect Core 5.4)."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from access import groups, roles
from accounts import profiles
from accounts.profiles import Account
from issuer import scopes
from models import Identity, address_of


@dataclass(frozen=True)
class Person:
    """A person, as far as claims describe them."""

    account: Account
    identities: Sequence[Identity]

    @property
    def address(self) -> Identity | None:
        return address_of(self.identities, self.account.email_choice)

    @property
    def updated_at(self) -> datetime:
        read = [each.read_at for each in self.identities if each.read_at]
        return max([self.account.created_at, *read])


# A claim is absent where there is nothing to say; never null (OpenID Connect Core 5.3.2).
BY_SCOPE: dict[str, dict[str, Callable[[Person], Any]]] = {
    scopes.PROFILE: {
        "name": lambda person: person.account.name,
        "picture": lambda person: person.account.picture,
        "updated_at": lambda person: int(person.updated_at.timestamp()),
    },
    scopes.EMAIL: {
        "email": lambda person: person.address and person.address.email,
        "email_verified": lambda person: person.address and person.address.email_verified,
    },
    scopes.IDENTITIES: {
        "identities": lambda person: [
            {"provider": each.provider, "subject": each.subject} for each in person.identities
        ],
    },
    scopes.GROUPS: {"groups": lambda person: groups.of_user(person.account.id)},
    scopes.ROLES: {"roles": lambda person: roles.split(person.account.role_names)},
}


def find_person(user_id: str) -> Person | None:
    """Return a person who is not disabled."""
    found = profiles.find(user_id)
    return Person(*found) if found else None


def of_person(
    person: Person, granted: Collection[str], only: Collection[str] | None = None
) -> dict[str, Any]:
    """Return the claims of granted scopes; ``only``: no others than these."""
    found = {
        name: read(person)
        for scope, claims in BY_SCOPE.items()
        if scope in granted
        for name, read in claims.items()
        if only is None or name in only
    }
    return {name: value for name, value in found.items() if value is not None}
