"""The document of GET /api/v1/me: one builder, for the view and for the check before Flask."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from access import roles
from models import WithAddress, address_of
from views.api.schemas import iso

# A time as the ORM has it, or as SQLite's driver gives it: a text in UTC.
Time = datetime | str


class Person(Protocol):
    """A user, as far as the document describes them."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def picture(self) -> str | None: ...
    @property
    def created_at(self) -> Time: ...
    @property
    def email_choice(self) -> str | None: ...
    @property
    def role_names(self) -> str: ...


class WayIn(WithAddress, Protocol):
    """An identity, as far as the document describes it."""

    @property
    def provider(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def linked_at(self) -> Time: ...
    @property
    def last_used_at(self) -> Time: ...


def describe_me(
    person: Person, identities: Sequence[WayIn], groups: Sequence[str]
) -> dict[str, Any]:
    """Build the document as ``schemas.Me`` declares it. ``identities``: the oldest first."""
    address = address_of(identities, person.email_choice)
    return {
        "id": person.id,
        "name": person.name or None,
        "email": address.email if address else None,
        "email_verified": bool(address and address.email_verified),
        "picture": person.picture or None,
        "created_at": _iso(person.created_at),
        "groups": groups,
        "roles": roles.split(person.role_names),
        "identities": [
            {
                "id": identity.id,
                "provider": identity.provider,
                "subject": identity.subject,
                "email": identity.email,
                "email_verified": bool(identity.email_verified),
                "linked_at": _iso(identity.linked_at),
                "last_used_at": _iso(identity.last_used_at),
            }
            for identity in identities
        ],
    }


def _iso(value: Time) -> str:
    return f"{value[:10]}T{value[11:19]}Z" if isinstance(value, str) else iso(value)
