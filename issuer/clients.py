"""Clients: the applications that sign their people in here. The only writer of their table."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import bindparam, delete, select, update

from errors import NotFound
from issuer import document_urls
from issuer.models import ClientRow
from storage import atomic, db, is_id, new_id, now
from storage.compiled import CompiledSelect

log = structlog.get_logger()

CODE, REFRESH, MACHINE = "authorization_code", "refresh_token", "client_credentials"
# RFC 8628 3.4; the command line calls it "device".
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
SECRET_BYTES = 32
# An API of others that does not introspect learns of an end only when its token expires.
RESOURCE_TOKEN_MAX_SECONDS = 600


@dataclass(frozen=True)
class Client:
    """A client as the checks need it: a row of ``clients`` as a value."""

    id: str
    name: str
    is_public: bool
    secret_hash: str | None = field(repr=False)
    old_secret_hash: str | None = field(repr=False)
    old_secret_until: datetime | None
    redirect_uris: list[str]
    post_logout_uris: list[str]
    backchannel_uri: str | None
    scopes: list[str]
    grant_types: list[str]
    resources: list[str]
    allow: list[str]
    is_first_party: bool
    needs_pkce: bool
    has_claims_in_id_token: bool
    id_token_alg: str
    pairwise_salt: str | None = field(repr=False)
    access_seconds: int
    idle_days: int
    max_days: int
    grace_seconds: int
    jwks: dict[str, Any] | None
    jwks_uri: str | None
    document_url: str | None
    document_until: datetime | None
    created_at: datetime
    disabled_at: datetime | None

    @property
    def client_id(self) -> str:
        """Return what the client calls itself in requests."""
        return self.document_url or self.id

    @property
    def document_host(self) -> str | None:
        """Return who vouches for a client that describes itself: the host of its document."""
        return document_urls.host_of(self.document_url) if self.document_url else None

    @property
    def shown_name(self) -> str:
        """Return what people read: the name, or the host of a client that describes itself, whose
        name proves nothing."""
        return self.document_host or self.name

    @property
    def is_enabled(self) -> bool:
        return self.disabled_at is None

    @property
    def has_keys(self) -> bool:
        """Return whether it authenticates by its own keys (private_key_jwt), and no other way."""
        return bool(self.jwks or self.jwks_uri)

    def may_use(self, grant_type: str) -> bool:
        return grant_type in self.grant_types

    def token_seconds(self, resource: str | None) -> int:
        """Return how long an access token of this client lasts, for this API or for us."""
        if resource is None:
            return self.access_seconds
        return min(self.access_seconds, RESOURCE_TOKEN_MAX_SECONDS)

    def has_secret(self, secret: str) -> bool:
        """Return whether this is the client's secret, or the one before until it ends."""
        given = hash_secret(secret)
        known = [self.secret_hash]
        if self.old_secret_until and self.old_secret_until > now():
            known.append(self.old_secret_hash)
        return any(each is not None and hmac.compare_digest(each, given) for each in known)

    def subject_of(self, user_id: str) -> str:
        """Return the ``sub`` of a person at this client."""
        if self.pairwise_salt is None:
            return user_id
        return hmac.digest(bytes.fromhex(self.pairwise_salt), user_id.encode(), "sha256").hex()

    def sid_of(self, sid: str) -> str:
        """Return what the client knows a session by: with pairwise subjects it is no name that
        others know."""
        if self.pairwise_salt is None:
            return sid
        return hmac.digest(bytes.fromhex(self.pairwise_salt), f"sid:{sid}".encode(), "sha256").hex()


_COLUMNS = [ClientRow.__table__.c[each.name] for each in fields(Client)]
_FIND = CompiledSelect(select(*_COLUMNS).where(ClientRow.id == bindparam("client_id")), Client)
_FIND_DESCRIBED = CompiledSelect(
    select(*_COLUMNS).where(ClientRow.document_url == bindparam("url")), Client
)


def columns() -> list[Any]:
    """Return the columns of a client, for queries that join it (``Client(*columns)``)."""
    return list(_COLUMNS)


def hash_secret(secret: str) -> str:
    """Hash a client secret. It has 256 random bits, so a plain hash cannot be reversed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def find(client_id: str) -> Client | None:
    """Return a client, enabled or not."""
    return _FIND.row(client_id=client_id) if is_id(client_id) else None


def named(client_id: str) -> Client | None:
    """Return the client that a request names, enabled or not. One that describes itself goes by the
    URL of its document, while the operator admits its host."""
    if document_urls.is_admitted(client_id):
        return _FIND_DESCRIBED.row(url=client_id)
    client = find(client_id)
    return None if client is None or client.document_url else client


def get(client_id: str) -> Client:
    """Return a client. Raises NotFound."""
    client = find(client_id) or named(client_id)
    if client is None:
        raise NotFound("There is no such client")
    return client


def every() -> Sequence[Client]:
    """Return all clients, the oldest first."""
    query = select(*_COLUMNS).order_by(ClientRow.created_at, ClientRow.id)
    return [Client(*row) for row in db.session.execute(query)]


def new_pairwise_salt() -> str:
    return secrets.token_hex(32)


def new_secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


@atomic
def add(values: Mapping[str, Any]) -> tuple[Client, str | None]:
    """Add a client with these columns; return it and its secret, which is not stored."""
    has_secret = not (values.get("is_public") or values.get("jwks") or values.get("jwks_uri"))
    secret = new_secret() if has_secret else None
    row = ClientRow(id=new_id(), secret_hash=hash_secret(secret) if secret else None, **values)
    db.session.add(row)
    db.session.flush()
    log.info("client_added", client=row.id, name=row.name)
    return get(row.id), secret


@atomic
def keep_described(url: str, values: Mapping[str, Any]) -> None:
    """Keep what a client's document says of it, as a new row or in the one that it has."""
    row = db.session.scalar(select(ClientRow.id).where(ClientRow.document_url == url))
    if row is not None:
        _write(row, values)
        return
    add({**values, "document_url": url, "needs_pkce": True})


@atomic
def change(client_id: str, values: Mapping[str, Any]) -> Client:
    """Change columns of a client. Keys take the place of its secret. Raises NotFound."""
    get(client_id)
    if values.get("jwks") or values.get("jwks_uri"):
        values = {**values, "secret_hash": None, "old_secret_hash": None}
    if values:
        _write(client_id, values)
        log.info("client_changed", client=client_id, names=sorted(values))
    return get(client_id)


@atomic
def rotate_secret(client_id: str, overlap: timedelta) -> str:
    """Give a client a new secret; the old one ends after ``overlap``. Raises NotFound."""
    client = get(client_id)
    if client.is_public:
        raise NotFound("A public client has no secret")
    if client.has_keys:
        raise NotFound("This client authenticates by its keys, and has no secret")
    secret = new_secret()
    _write(
        client_id,
        {
            "secret_hash": hash_secret(secret),
            "old_secret_hash": client.secret_hash,
            "old_secret_until": now() + overlap,
        },
    )
    log.info("client_secret_rotated", client=client_id)
    return secret


@atomic
def disable(client_id: str) -> None:
    """Disable a client: nothing of it works, and everything does again once it is enabled."""
    if get(client_id).is_enabled:
        _write(client_id, {"disabled_at": now()})
        log.info("client_disabled", client=client_id)


@atomic
def enable(client_id: str) -> None:
    """Enable a client again."""
    if not get(client_id).is_enabled:
        _write(client_id, {"disabled_at": None})
        log.info("client_enabled", client=client_id)


@atomic
def remove(client_id: str) -> None:
    """Delete a client with its grants, tokens and consents. Raises NotFound."""
    get(client_id)
    db.session.execute(delete(ClientRow).where(ClientRow.id == client_id))
    log.info("client_removed", client=client_id)


def _write(client_id: str, values: Mapping[str, Any]) -> None:
    db.session.execute(update(ClientRow).where(ClientRow.id == client_id).values(**values))
    db.session.expire_all()
