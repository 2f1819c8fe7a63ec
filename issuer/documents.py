"""Clients that describe themselves: their client_id is the URL of a JSON document, which is fetched
and kept as a row (draft-ietf-oauth-client-id-metadata-document, MCP).

A document that cannot be used is not kept. While one cannot be reached, the one before counts.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Select, String, cast, delete, exists, select

from issuer import clients, document_urls, redirects, resources, scopes
from issuer.clients import CODE, REFRESH
from issuer.faults import Refused
from issuer.models import ClientLogoRow, ClientRow, ConsentRow, GrantRow
from keys.client_assertions import jwk_set_fault
from storage import atomic, db, now

log = structlog.get_logger()

# A client that nobody used is deleted so many days after its document was due again.
UNUSED_DAYS = 7
# How long a document is kept, whatever it says of itself.
LEAST_SECONDS, MOST_SECONDS = 600, 86400
NAME_MAX_CHARACTERS = 200
# How such a client may authenticate (RFC 7591 2).
NONE, PRIVATE_KEY = "none", "private_key_jwt"
MAX_URIS = 50


@dataclass(frozen=True)
class Page:
    """A response from a URL. ``fresh_seconds``: how long it may be kept, if it says so."""

    status: int
    body: bytes = field(repr=False)
    fresh_seconds: float | None = None


class DocumentAway(Exception):
    """The document cannot be reached."""


Reader = Callable[[str], Page]


def is_due(client_id: str) -> bool:
    """Tell whether this client is described by a document that has to be fetched now."""
    return document_urls.is_admitted(client_id) and _is_outdated(client_id)


@atomic
def _is_outdated(client_id: str) -> bool:
    client = clients.named(client_id)
    return client is None or client.document_until is None or client.document_until <= now()


def fetch(client_id: str, read: Reader) -> Refused | None:
    """Fetch the document of a client, and keep what it says. No transaction is open meanwhile."""
    try:
        page = _read_page(client_id, read)
    except DocumentAway as error:
        if _is_known(client_id):
            log.warning("client_document_away", url=client_id, detail=str(error))
            return None
        return Refused("document_away", str(error))
    found = _read(client_id, page)
    if isinstance(found, str):
        return Refused("document_faulty", found)
    seconds = min(max(page.fresh_seconds or 0, LEAST_SECONDS), MOST_SECONDS)
    _keep(client_id, found | {"document_until": now() + timedelta(seconds=seconds)})
    return None


def _read_page(url: str, read: Reader) -> Page:
    page = read(url)
    if page.status == 429 or page.status >= 500:
        raise DocumentAway(f"status {page.status}")
    return page


@atomic
def _is_known(client_id: str) -> bool:
    return clients.named(client_id) is not None


@atomic
def _keep(url: str, values: Mapping[str, Any]) -> None:
    """Keep what a document says. The operator's choices about the client stay."""
    known = [resource.id for resource in resources.every()]
    clients.keep_described(url, {**values, "resources": known})


def _read(url: str, page: Page) -> dict[str, Any] | str:
    """Return the columns that a document sets, or why it cannot be used."""
    if page.status != 200:
        return f"status {page.status}"
    try:
        document = json.loads(page.body)
    except (ValueError, RecursionError):
        return "not JSON"
    if not isinstance(document, dict):
        return "not an object"
    return _fault(url, document) or _columns(url, document)


def _fault(url: str, document: Mapping[str, Any]) -> str | None:
    """Return the name of the first member that is wrong."""
    uris = document.get("redirect_uris")
    name = document.get("client_name", "a name")
    faults = {
        "client_id": document.get("client_id") != url,
        # A secret in a public document is none.
        "token_endpoint_auth_method": _method(document) not in (NONE, PRIVATE_KEY),
        **_key_faults(document),
        "client_secret": "client_secret" in document or "client_secret_expires_at" in document,
        "client_name": not isinstance(name, str)
        or not name.strip()
        or not name.isprintable()
        or len(name) > NAME_MAX_CHARACTERS,
        "redirect_uris": not _are_redirects(uris) or not uris,
        "post_logout_redirect_uris": not _are_redirects(
            document.get("post_logout_redirect_uris", [])
        ),
        "grant_types": CODE not in _texts(document.get("grant_types", [CODE])),
        "response_types": "code" not in _texts(document.get("response_types", ["code"])),
        "scope": not isinstance(document.get("scope", ""), str),
    }
    return next((member for member, holds in faults.items() if holds), None)


def _method(document: Mapping[str, Any]) -> object:
    return document.get("token_endpoint_auth_method", NONE)


def _key_faults(document: Mapping[str, Any]) -> dict[str, bool]:
    """RFC 7591 2: one of jwks and jwks_uri, where keys are needed."""
    if _method(document) != PRIVATE_KEY:
        return {}
    jwks, uri = document.get("jwks"), document.get("jwks_uri")
    return {
        "jwks": (jwks is None) == (uri is None)
        or (jwks is not None and jwk_set_fault(jwks) is not None),
        "jwks_uri": uri is not None and not document_urls.is_plain(uri),
    }


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _are_redirects(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= MAX_URIS
        and all(
            isinstance(uri, str) and redirects.fault(uri, is_public=True) is None for uri in value
        )
    )


def _columns(url: str, document: Mapping[str, Any]) -> dict[str, Any]:
    asked = scopes.split(document.get("scope")) or scopes.USUAL
    kinds = _texts(document.get("grant_types", [CODE]))
    has_keys = _method(document) == PRIVATE_KEY
    return {
        "is_public": not has_keys,
        "jwks": document.get("jwks") if has_keys else None,
        "jwks_uri": document.get("jwks_uri") if has_keys else None,
        "name": document.get("client_name") or document_urls.host_of(url),
        "redirect_uris": list(document["redirect_uris"]),
        "post_logout_uris": list(document.get("post_logout_redirect_uris", [])),
        "scopes": list(scopes.allowed(asked, scopes.USUAL)),
        "grant_types": [kind for kind in (CODE, REFRESH) if kind in kinds],
    }


def _unused() -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a client that describes itself, that nobody uses, and about which
    the operator chose nothing: it comes back with its next request."""
    return (
        ClientRow.document_url.is_not(None),
        ClientRow.document_until < now() - timedelta(days=UNUSED_DAYS),
        ClientRow.disabled_at.is_(None),
        ClientRow.is_first_party.is_(False),
        cast(ClientRow.allow, String) == "[]",
        ~exists().where(ClientLogoRow.client_id == ClientRow.id),
        ~exists().where(GrantRow.client_id == ClientRow.id),
        ~exists().where(ConsentRow.client_id == ClientRow.id),
    )


def unused() -> Select[str]:
    """Select the ids of clients that describe themselves and that nobody uses."""
    return select(ClientRow.id).where(*_unused())


@atomic
def purge(ids: Sequence[str]) -> None:
    """Delete unused clients, by id; one that was used meanwhile stays."""
    those = delete(ClientRow).where(ClientRow.id.in_(ids), *_unused())
    db.session.execute(those.execution_options(synchronize_session=False))


def is_local_only(redirect_uris: list[str]) -> bool:
    """Return whether a client lives on the person's own device: any program there may pretend to
    be it."""
    return all(redirects.is_native(uri) for uri in redirect_uris)
