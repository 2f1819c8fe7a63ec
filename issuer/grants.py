"""Grants: what a person granted a client, begun with a code and ended for a reason.

``exchanges`` spends their codes and refresh tokens; ``ends`` says what else ends them.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    union,
    update,
)

from accounts.activity import Caller
from accounts.admission import Admission
from accounts.sessions import ALIVE, alive_at, hash_token
from errors import SignedOut
from issuer import resources, scopes
from issuer.clients import REFRESH, Client
from issuer.models import ClientRow, GrantRow
from models import Session, User
from storage import atomic, db, new_id, now
from storage.compiled import CompiledSelect, CompiledStatement

CODE_SECONDS = 60
# An ended grant is kept this long: a replay of its code or tokens is still recognised.
KEPT_DAYS = 30


@dataclass(frozen=True)
class Grant:
    """A grant as the checks need it, with the state of its person and session."""

    id: str
    client_id: str
    user_id: str
    identity_id: str | None
    sid: str | None
    provider: str
    is_offline: bool
    scopes: str
    resource: str | None
    claims: dict[str, Any] | None
    auth_time: datetime
    code_expires_at: datetime | None
    code_used_at: datetime | None
    redirect_uri: str
    challenge: str | None
    nonce: str | None = field(repr=False)
    salt: str = field(repr=False)
    generation: int
    rotated_at: datetime | None
    jkt: str | None
    expires_at: datetime
    idle_until: datetime
    ended_at: datetime | None
    user_disabled_at: datetime | None
    # The session that it began in, while it is alive.
    session_id: str | None

    @property
    def scope_list(self) -> tuple[str, ...]:
        return scopes.split(self.scopes)


_OWN = [each.name for each in fields(Grant) if each.name not in ("user_disabled_at", "session_id")]
_STANDING = (
    select(*(GrantRow.__table__.c[name] for name in _OWN), User.disabled_at, Session.id)
    .select_from(GrantRow)
    .join(User, User.id == GrantRow.user_id)
    .outerjoin(
        Session, and_(Session.sid == GrantRow.sid, Session.user_id == GrantRow.user_id, ALIVE)
    )
)
_BY_ID = CompiledSelect(_STANDING.where(GrantRow.id == bindparam("grant_id")), Grant)
_BY_CODE = CompiledSelect(_STANDING.where(GrantRow.code_hash == bindparam("code_hash")), Grant)
_ADD = CompiledStatement(insert(GrantRow))
_OF_SESSION = select(Session.id).where(
    Session.sid == bindparam("sid"), Session.user_id == bindparam("user_id")
)
_SESSION = CompiledSelect(_OF_SESSION, str)
_SESSION_KEPT = CompiledSelect(_OF_SESSION.with_for_update(read=True, key_share=True), str)
_END = CompiledStatement(
    update(GrantRow)
    .where(GrantRow.id == bindparam("grant_id"), GrantRow.ended_at.is_(None))
    .values(ended_at=bindparam("moment"), end_reason=bindparam("reason"))
)


def find(grant_id: str) -> Grant | None:
    """Return a grant with the state of its person and session."""
    return _BY_ID.row(grant_id=grant_id, **alive_at(now()))


def find_by_code(code_hash: str) -> Grant | None:
    """Return the grant that a code began, used or not."""
    return _BY_CODE.row(code_hash=code_hash, **alive_at(now()))


@dataclass(frozen=True, kw_only=True)
class Basis:
    """The basis of a new grant: the person's session and what the client asked for."""

    user_id: str
    identity_id: str | None
    sid: str | None
    provider: str
    auth_time: datetime
    scopes: tuple[str, ...]
    redirect_uri: str
    resource: str | None = None
    claims: dict[str, Any] | None = None
    challenge: str | None = None
    nonce: str | None = None
    jkt: str | None = None


@atomic
def begin(client: Client, basis: Basis, caller: Caller) -> str:
    """Begin a grant; return the code that the client exchanges for tokens (RFC 6749 4.1.2). Raises
    SignedOut if the session has ended."""
    code = secrets.token_urlsafe(32)
    expires_at = now() + timedelta(seconds=CODE_SECONDS)
    _add(client, basis, caller, code_hash=hash_token(code), code_expires_at=expires_at)
    return code


def begin_without_code(client: Client, basis: Basis, caller: Caller) -> str:
    """Begin a grant whose client has proved itself otherwise; return its id. Call within an atomic
    verb. Raises SignedOut if the session has ended."""
    return _add(client, basis, caller, code_used_at=now())


def _add(client: Client, basis: Basis, caller: Caller, **code: Any) -> str:
    moment, grant_id = now(), new_id()
    is_offline = scopes.OFFLINE in basis.scopes and client.may_use(REFRESH)
    none: dict[str, Any] = {"code_hash": None, "code_expires_at": None, "code_used_at": None}
    _ADD.run(
        **vars(basis) | {"scopes": scopes.join(basis.scopes)},
        **none | code,
        id=grant_id,
        client_id=client.id,
        is_offline=is_offline,
        salt=secrets.token_hex(32),
        generation=0,
        rotated_at=None,
        created_at=moment,
        last_used_at=moment,
        expires_at=moment + timedelta(days=client.max_days),
        idle_until=moment + timedelta(days=client.idle_days),
        ended_at=None,
        end_reason="",
        user_agent=caller.user_agent[:256],
        address=caller.address,
    )
    _check_session(basis, is_offline=is_offline)
    return grant_id


def _check_session(basis: Basis, *, is_offline: bool) -> None:
    """Look for the session again, after the INSERT: its foreign key waited for a verb that ends
    things and has the account locked, and any later verb finds the new row. Raises SignedOut.

    Where everybody is signed out no account is locked. So a grant that outlives its session locks
    that: it waits for its DELETE, or the DELETE waits for it (``accounts.sessions.end_all``).
    """
    query = _SESSION_KEPT if is_offline else _SESSION
    if query.row(sid=basis.sid, user_id=basis.user_id) is None:
        raise SignedOut("the session has ended")


def fault_of(grant: Grant, client: Client, admission: Admission) -> str | None:
    """Return why a grant cannot be used now; None if it can."""
    reasons = {
        "it has ended": grant.ended_at is not None,
        "the client is disabled": not client.is_enabled,
        "the account is disabled": grant.user_disabled_at is not None,
        "it has expired": min(grant.expires_at, grant.idle_until) <= now(),
        "its session has ended": grant.session_id is None and not grant.is_offline,
        "its API is the client's no more": not resources.is_usable(client, grant.resource),
    }
    found = next((reason for reason, holds in reasons.items() if holds), None)
    if found is None and not admission.admits(client, grant.user_id):
        return "its person may not use the client any more"
    return found


@dataclass(frozen=True)
class Listed:
    """A grant, as far as an operator looks at it."""

    id: str
    user_id: str
    scopes: str
    is_offline: bool
    created_at: datetime
    last_used_at: datetime
    ended_at: datetime | None
    end_reason: str
    address: str


def of_client(client_id: str, limit: int) -> list[Listed]:
    """Return the grants of a client, the latest used first."""
    columns = [GrantRow.__table__.c[each.name] for each in fields(Listed)]
    query = select(*columns).where(
        GrantRow.client_id == client_id, GrantRow.code_used_at.is_not(None)
    )
    query = query.order_by(GrantRow.last_used_at.desc(), GrantRow.id).limit(limit)
    return [Listed(*row) for row in db.session.execute(query)]


def count_people(client_id: str) -> int:
    """Return how many people a client has grants of."""
    query = select(func.count(GrantRow.user_id.distinct())).where(
        GrantRow.client_id == client_id,
        GrantRow.code_used_at.is_not(None),
        GrantRow.ended_at.is_(None),
    )
    return db.session.scalar(query) or 0


@dataclass(frozen=True)
class Held:
    """A grant, as far as its person may read it."""

    scopes: str
    resource: str | None
    provider: str
    is_offline: bool
    created_at: datetime
    last_used_at: datetime
    ended_at: datetime | None
    address: str
    user_agent: str


def of_user(user_id: str) -> list[tuple[str, Held]]:
    """Return all stored grants of a person, each with the name of its client, the latest first."""
    columns = [GrantRow.__table__.c[each.name] for each in fields(Held)]
    query = select(ClientRow.name, *columns).join(ClientRow, ClientRow.id == GrantRow.client_id)
    query = query.where(GrantRow.user_id == user_id)
    query = query.order_by(GrantRow.created_at.desc(), GrantRow.id)
    return [(row[0], Held(*row[1:])) for row in db.session.execute(query)]


@atomic
def end(grant_id: str, reason: str) -> None:
    """End one grant with all its tokens."""
    _END.run(grant_id=grant_id, moment=now(), reason=reason)


def bind(grant_id: str, jkt: str) -> None:
    """Bind the refresh tokens of a public client to its key (RFC 9449 5). Call within an atomic
    verb."""
    db.session.execute(update(GrantRow).where(GrantRow.id == grant_id).values(jkt=jkt))


def end_where(reason: str, *which: ColumnElement[bool]) -> None:
    """End grants. Call within an atomic verb."""
    those = update(GrantRow).where(GrantRow.ended_at.is_(None), *which)
    ended = those.values(ended_at=now(), end_reason=reason)
    db.session.execute(ended.execution_options(synchronize_session=False))


def expired() -> Select[str]:
    """Select the ids of grants that nobody can use or replay any more."""
    kept = now() - timedelta(days=KEPT_DAYS)
    unused = and_(GrantRow.code_used_at.is_(None), GrantRow.code_expires_at < now())
    reasons = (
        GrantRow.ended_at < kept,
        GrantRow.expires_at < kept,
        GrantRow.idle_until < kept,
        unused,
    )
    # Each by its own index: SQLite reads the whole table for an OR of them.
    found = union(*(select(GrantRow.id).where(reason) for reason in reasons)).subquery()
    return select(found.c.id)


@atomic
def purge(ids: Sequence[str]) -> None:
    """Delete expired grants, by id."""
    db.session.execute(delete(GrantRow).where(GrantRow.id.in_(ids)))
