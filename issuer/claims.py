"""Claims: what a client learns of a person, by scope (OpenID Connect Core 5.4)."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from accounts import identities
from issuer import scopes
from models import Identity, OAuth, User, address_of
from storage.compiled import CompiledSelect


@dataclass(frozen=True)
class Account:
    """The columns of a user that claims describe."""

    name: str | None
    picture: str | None
    created_at: datetime
    email_choice: str | None


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


def _found(*columns: Any) -> tuple[Account, Identity | None]:
    identity = columns[_ACCOUNT_COLUMNS:]
    return Account(*columns[:_ACCOUNT_COLUMNS]), Identity(*identity) if identity[0] else None


_ACCOUNT_COLUMNS = len(fields(Account))
# The account, with each of its identities, the oldest first.
_FIND = CompiledSelect(
    select(*(User.__table__.c[each.name] for each in fields(Account)), *identities.columns())
    .select_from(User)
    .outerjoin(OAuth, OAuth.user_id == User.id)
    .where(User.id == bindparam("user_id"), User.disabled_at.is_(None))
    .order_by(OAuth.linked_at, OAuth.id),
    _found,
)


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
}


def find_person(user_id: str) -> Person | None:
    """Return a person who is not disabled."""
    rows = _FIND.rows(user_id=user_id)
    if not rows:
        return None
    return Person(rows[0][0], [identity for _account, identity in rows if identity])


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
