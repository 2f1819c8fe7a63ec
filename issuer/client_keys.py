"""The keys of clients that authenticate by ``private_key_jwt``: registered, or published at the
client's ``jwks_uri`` (RFC 7591 2).

The last answer is kept as a row, so that instances share it and an outage, also across a
restart, locks no client out.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import CursorResult, select, update

from errors import ProviderError
from issuer.clients import Client
from issuer.documents import DocumentAway, Page
from issuer.models import ClientKeysRow
from keys.client_assertions import FixedKeys, import_client_keys
from keys.jwk_set import Key
from storage import atomic, db, now

log = structlog.get_logger()

# Read again after this time, so that a key that was taken away stops to count.
KEPT = timedelta(minutes=10)
# Read at most once in this time, whatever strangers sign with.
COOL_DOWN = timedelta(minutes=1)
# A read takes no longer; meanwhile others are asked to come back.
READING = timedelta(seconds=15)
MAX_BYTES = 64 * 1024


class KeysAway(Exception):
    """The keys of a client cannot be had now; a later try may succeed."""


# Reads a URL. True: a stranger named it, so only public addresses are asked. Raises DocumentAway.
Reader = Callable[[str, bool], Page]


@dataclass(frozen=True)
class Kept:
    """The published keys of a client, as far as they are known."""

    jwks: object
    asked_at: datetime
    read_at: datetime | None

    @property
    def is_being_read(self) -> bool:
        is_done = self.read_at is not None and self.read_at >= self.asked_at
        return not is_done and self.asked_at > now() - READING


def keys_of(client: Client, read: Reader) -> "FixedKeys | FetchedKeys":
    """Return the keys of a client that has some (keys.jwt.Keys)."""
    if client.jwks_uri is None:
        return FixedKeys(import_client_keys(client.jwks))
    return FetchedKeys(client, client.jwks_uri, read)


class FetchedKeys:
    """The keys at a client's ``jwks_uri``. Looking them up raises KeysAway."""

    def __init__(self, client: Client, uri: str, read: Reader) -> None:
        self._client, self._uri, self._read = client, uri, read

    def candidates(self, kid: str | None, algorithm: str) -> Sequence[Key]:
        kept = _find(self._client.id, self._uri)
        if kept is None or kept.read_at is None or kept.read_at <= now() - KEPT:
            self._read_again()
            kept = _find(self._client.id, self._uri)
        if kept is None or kept.jwks is None:
            raise KeysAway("they were never read")
        return self._fitting(kept, kid, algorithm)

    def newer_candidates(self, kid: str | None, algorithm: str) -> Sequence[Key]:
        is_ours = self._read_again()
        kept = _find(self._client.id, self._uri)
        if kept is None or (kept.is_being_read and not is_ours):
            raise KeysAway("another request is reading them")
        return self._fitting(kept, kid, algorithm)

    def _fitting(self, kept: Kept, kid: str | None, algorithm: str) -> Sequence[Key]:
        return FixedKeys(import_client_keys(kept.jwks)).candidates(kid, algorithm)

    def _read_again(self) -> bool:
        """Read the keys unless that was tried within a minute; return whether it was tried now.

        No transaction is open meanwhile. A faulty answer does not replace the keys that are known.
        """
        if not _claim(self._client.id, self._uri):
            return False
        try:
            found = _published(self._read(self._uri, self._client.document_url is not None))
        except (DocumentAway, ProviderError) as error:
            detail = str(error) or type(error).__name__
            log.warning("client_keys_away", client=self._client.client_id, detail=detail)
            return True
        _keep(self._client.id, self._uri, found)
        return True


def _published(page: Page) -> object:
    """Return the JWK set of a response. Raises DocumentAway or ProviderError."""
    if page.status != 200 or len(page.body) > MAX_BYTES:
        raise DocumentAway(f"status {page.status}, {len(page.body)} bytes")
    try:
        document = json.loads(page.body)
    except (ValueError, RecursionError):
        raise DocumentAway("not JSON") from None
    import_client_keys(document)
    return document


def _find(client_id: str, uri: str) -> Kept | None:
    columns = (ClientKeysRow.jwks, ClientKeysRow.asked_at, ClientKeysRow.read_at)
    mine = (ClientKeysRow.client_id == client_id, ClientKeysRow.uri == uri)
    row = db.session.execute(select(*columns).where(*mine)).one_or_none()
    return Kept(*row) if row else None


@atomic
def _claim(client_id: str, uri: str) -> bool:
    """Return whether this request may read the keys now. Two that come first collide."""
    row = db.session.get(ClientKeysRow, client_id, populate_existing=True)
    if row is None:
        db.session.add(ClientKeysRow(client_id=client_id, uri=uri, asked_at=now()))
        db.session.flush()
        return True
    mine = ClientKeysRow.client_id == client_id
    if row.uri != uri:
        changed = update(ClientKeysRow).where(mine, ClientKeysRow.uri == row.uri)
        changed = changed.values(uri=uri, asked_at=now(), read_at=None, jwks=None)
    else:
        changed = update(ClientKeysRow).where(mine, ClientKeysRow.asked_at <= now() - COOL_DOWN)
        changed = changed.values(asked_at=now())
    result = db.session.execute(changed)
    return isinstance(result, CursorResult) and result.rowcount == 1


@atomic
def _keep(client_id: str, uri: str, jwks: object) -> None:
    mine = (ClientKeysRow.client_id == client_id, ClientKeysRow.uri == uri)
    db.session.execute(update(ClientKeysRow).where(*mine).values(jwks=jwks, read_at=now()))
