"""Resources: APIs of others that clients get access tokens for. The only writer of their table."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlsplit

import structlog
from sqlalchemy import bindparam, delete, select

from errors import NotFound
from issuer import scopes
from issuer.clients import Client
from issuer.models import ResourceRow
from storage import atomic, db
from storage.compiled import CompiledSelect

log = structlog.get_logger()

MAX_CHARACTERS = 512
SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,100}")


@dataclass(frozen=True)
class Resource:
    """An API, its scopes, and the client that may introspect its tokens. ``name`` and ``words``:
    what people read of it and of its scopes, if the operator said so."""

    id: str
    scopes: list[str]
    client_id: str | None
    name: str
    words: dict[str, str]

    @property
    def shown_name(self) -> str:
        return f"{self.name} ({self.id})" if self.name else self.id


_COLUMNS = [ResourceRow.__table__.c[each.name] for each in fields(Resource)]
_FIND = CompiledSelect(select(*_COLUMNS).where(ResourceRow.id == bindparam("resource")), Resource)


def faults(identifier: str, its_scopes: Sequence[str]) -> list[str]:
    """Return why a resource cannot be registered, each fault in one line (RFC 8707 2)."""
    found = [f"{identifier}: {fault}"] if (fault := _address_fault(identifier)) else []
    for scope in its_scopes:
        if scope in scopes.OF_PEOPLE:
            found.append(f"--scope {scope}: has a meaning of its own here")
        elif not SCOPE.fullmatch(scope):
            found.append(f"--scope {scope}: 1 to 100 characters without spaces and quotes")
    return found


def _address_fault(identifier: str) -> str | None:
    try:
        parts = urlsplit(identifier)
    except ValueError:
        return "is not an address"
    is_plain = identifier.isascii() and identifier.isprintable() and " " not in identifier
    if not (is_plain and parts.scheme and len(identifier) <= MAX_CHARACTERS):
        return "must be an absolute address"
    return "must not have a fragment" if "#" in identifier else None


def find(identifier: str) -> Resource | None:
    return _FIND.row(resource=identifier) if len(identifier) <= MAX_CHARACTERS else None


def scopes_now(client: Client, granted: Iterable[str], identifier: str | None) -> tuple[str, ...]:
    """Return those of the granted scopes that a client may still have, with those of its API."""
    resource = find(identifier) if identifier else None
    its_scopes = resource.scopes if resource else ()
    return scopes.allowed(granted, [*scopes.of_people(client.scopes), *its_scopes])


def is_usable(client: Client, identifier: str | None) -> bool:
    """Return whether a client may still use an API, if it is one; either may have been taken away
    since the grant began."""
    return identifier is None or (identifier in client.resources and find(identifier) is not None)


def shown(identifiers: Iterable[str]) -> list[tuple[str, dict[str, str]]]:
    """Return what people read of APIs: the name of each, and its scopes in words."""
    found = [(identifier, find(identifier)) for identifier in identifiers]
    return [
        (api.shown_name, {scope: api.words.get(scope, scope) for scope in api.scopes})
        if api
        else (identifier, {})
        for identifier, api in found
    ]


def every() -> list[Resource]:
    rows = db.session.execute(select(*_COLUMNS).order_by(ResourceRow.id))
    return [Resource(*row) for row in rows]


@atomic
def add(resource: Resource) -> None:
    """Register a resource, or change what is registered of it."""
    row = db.session.get(ResourceRow, resource.id)
    if row is None:
        row = ResourceRow(id=resource.id)
        db.session.add(row)
    row.scopes, row.client_id = list(resource.scopes), resource.client_id
    row.name, row.words = resource.name, dict(resource.words)
    log.info("resource_added", resource=resource.id)


@atomic
def remove(identifier: str) -> None:
    """Remove a resource: no token is made for it any more. Raises NotFound."""
    row: Any = db.session.get(ResourceRow, identifier)
    if row is None:
        raise NotFound("There is no such resource")
    db.session.execute(delete(ResourceRow).where(ResourceRow.id == identifier))
    log.info("resource_removed", resource=identifier)
