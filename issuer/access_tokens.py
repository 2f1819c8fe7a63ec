"""Access tokens: opaque, stored as hashes, and looked up with everything that can end them."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, bindparam, delete, insert, or_, select

from accounts.admission import Admission
from accounts.sessions import ALIVE, alive_at, hash_token
from issuer import clients, scopes
from issuer.clients import Client
from issuer.models import AccessTokenRow, ClientRow, GrantRow
from models import Session, User
from storage import atomic, db, now
from storage.compiled import CompiledSelect, CompiledStatement

TOKEN_MAX_CHARACTERS = 512

_ADD = CompiledStatement(insert(AccessTokenRow))


@dataclass(frozen=True)
class AccessToken:
    """A valid access token. ``user_id`` None: its client acts for itself."""

    client: Client = field(repr=False)
    id: str
    grant_id: str | None
    scopes: str
    resource: str | None
    jkt: str | None
    issued_at: datetime
    expires_at: datetime
    user_id: str | None
    sid: str | None
    auth_time: datetime | None

    @property
    def scope_list(self) -> tuple[str, ...]:
        return scopes.split(self.scopes)

    @property
    def subject(self) -> str:
        """Return the ``sub`` that its client knows."""
        return self.client.subject_of(self.user_id) if self.user_id else self.client.client_id


def _found(*columns: object) -> AccessToken:
    own = columns[: -len(clients.columns())]
    return AccessToken(Client(*columns[len(own) :]), *own)  # type: ignore[arg-type]


# A token stands while its grant, its person and its session do.
_STANDS = or_(
    AccessTokenRow.grant_id.is_(None),
    and_(
        GrantRow.ended_at.is_(None),
        User.id.is_not(None),
        User.disabled_at.is_(None),
        or_(GrantRow.is_offline, Session.id.is_not(None)),
    ),
)
_SELECT = (
    select(
        AccessTokenRow.id,
        AccessTokenRow.grant_id,
        AccessTokenRow.scopes,
        AccessTokenRow.resource,
        AccessTokenRow.jkt,
        AccessTokenRow.issued_at,
        AccessTokenRow.expires_at,
        GrantRow.user_id,
        GrantRow.sid,
        GrantRow.auth_time,
        *clients.columns(),
    )
    .select_from(AccessTokenRow)
    .join(ClientRow, ClientRow.id == AccessTokenRow.client_id)
    .outerjoin(GrantRow, GrantRow.id == AccessTokenRow.grant_id)
    .outerjoin(User, User.id == GrantRow.user_id)
    .outerjoin(
        Session, and_(Session.sid == GrantRow.sid, Session.user_id == GrantRow.user_id, ALIVE)
    )
    .where(
        AccessTokenRow.id == bindparam("token_hash"),
        AccessTokenRow.expires_at > bindparam("moment"),
        ClientRow.disabled_at.is_(None),
        _STANDS,
    )
)
_FIND = CompiledSelect(_SELECT.where(AccessTokenRow.resource.is_(None)), _found)
# A jti is no secret: it opens nothing by itself.
_FIND_JWT = CompiledSelect(_SELECT.where(AccessTokenRow.resource.is_not(None)), _found)


def add(
    client: Client,
    grant_id: str | None,
    granted: Sequence[str],
    jkt: str | None,
    resource: str | None = None,
) -> str:
    """Make an access token; for a resource, the ``jti`` of one (``resource_tokens``). Call within
    an atomic verb."""
    token, moment = secrets.token_urlsafe(32), now()
    _ADD.run(
        id=hash_token(token),
        grant_id=grant_id,
        client_id=client.id,
        scopes=scopes.join(granted),
        resource=resource,
        jkt=jkt,
        issued_at=moment,
        expires_at=moment + timedelta(seconds=client.token_seconds(resource)),
    )
    return token


@atomic
def issue_to_machine(
    client: Client, granted: Sequence[str], jkt: str | None, resource: str | None
) -> str:
    """Make an access token with which a client acts for itself (RFC 6749 4.4)."""
    return add(client, None, granted, jkt, resource)


def find(token: str, admission: Admission) -> AccessToken | None:
    """Return the access token that a request brings, if it is valid now: client, person, session
    and admission are checked each time."""
    if len(token) > TOKEN_MAX_CHARACTERS:
        return None
    return _admitted(_FIND, token, admission)


def find_by_jti(jti: str, admission: Admission) -> AccessToken | None:
    """Return the access token for a resource whose JWT, which has been verified, has this id."""
    return _admitted(_FIND_JWT, jti, admission)


def _admitted(
    query: CompiledSelect[AccessToken], secret: str, admission: Admission
) -> AccessToken | None:
    moment = now()
    found = query.row(token_hash=hash_token(secret), moment=moment, **alive_at(moment))
    if found is None:
        return None
    is_admitted = found.user_id is None or admission.admits(found.client, found.user_id)
    return found if is_admitted else None


@atomic
def revoke(token: AccessToken) -> None:
    """End one access token (RFC 7009); its grant goes on."""
    db.session.execute(delete(AccessTokenRow).where(AccessTokenRow.id == token.id))


def expired() -> Select[str]:
    """Select the ids of expired access tokens."""
    return select(AccessTokenRow.id).where(AccessTokenRow.expires_at < now())


@atomic
def purge(ids: Sequence[str]) -> None:
    """Delete expired access tokens, by id."""
    db.session.execute(delete(AccessTokenRow).where(AccessTokenRow.id.in_(ids)))
