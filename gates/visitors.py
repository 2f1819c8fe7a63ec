"""Visitors: who stands behind the cookie of a gated host, by one SELECT."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Engine, bindparam, null, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import InstrumentedAttribute

from access import checks, groups, roles
from access.checks import Facts
from access.models import AccessCheck
from accounts import sessions
from gates import registry
from gates.models import GateHostRow, GateRow, GateSessionRow
from models import OAuth, Session, User, address_of
from storage import now
from storage.compiled import AnySelect, CompiledQuery

# No gate has this name.
OWN_HOST = "PUBLIC_URL"
EVER = datetime(1970, 1, 2, tzinfo=UTC)


_Column = ColumnElement[Any] | InstrumentedAttribute[str]


class IdentityRow(NamedTuple):
    """An identity, as far as rules and the address need it."""

    id: str
    provider: str
    issuer: str
    email: str | None
    email_verified: bool
    suspended_at: datetime | None


@dataclass(frozen=True)
class Visitor:
    """A signed-in person at a gate. ``allow``: the rules of the gate. Our own host has neither:
    there the name is OWN_HOST."""

    gate: str
    allow: Sequence[str]
    token_hash: str = field(repr=False)
    session_id: str
    provider: str
    user_id: str
    name: str
    email_choice: str | None
    groups: Sequence[str]
    roles: Sequence[str]
    identities: Sequence[IdentityRow]
    # Facts for the rules of ACCESS_FILE, by identity.
    facts: Mapping[str, Facts] = field(default_factory=dict)

    @property
    def email(self) -> str:
        """Return the address, if it is verified: applications take it for the person."""
        address = address_of(self.identities, self.email_choice)
        return address.email or "" if address and address.email_verified else ""

    def group_names(self) -> Collection[str]:
        return self.groups

    def role_names(self) -> Collection[str]:
        return self.roles


FACTS_COLUMN, FIRST_IDENTITY_COLUMN = 9, 10


class Visitors:
    """Finds visitors. ``predicate``: what the guards demand of sessions and users.
    ``with_facts``: whether the site has rules that ask for them."""

    def __init__(self, engine: Engine, predicate: ColumnElement[bool], *, with_facts: bool) -> None:
        facts = _facts() if with_facts else null()
        self._at_gate = CompiledQuery(engine, _at_gate(facts).where(predicate))
        self._on_own_host = CompiledQuery(engine, _on_own_host(facts).where(predicate))

    def find(self, token: str, origin: str, *, is_seen: bool = True) -> Visitor | None:
        """Return the visitor whose cookie at an origin this is.

        ``is_seen``: only if the use of the session was noted in the last minute. Raises
        SQLAlchemyError.
        """
        return _find(self._at_gate, token, origin, is_seen=is_seen)

    def find_on_own_host(self, token: str, origin: str, *, is_seen: bool = True) -> Visitor | None:
        """Return the same for the session cookie, and an origin that is behind no gate."""
        return _find(self._on_own_host, token, origin, is_seen=is_seen)


def _find(query: CompiledQuery, token: str, origin: str, *, is_seen: bool) -> Visitor | None:
    moment = now()
    seen_after = moment - timedelta(seconds=sessions.SEEN_EVERY_SECONDS) if is_seen else EVER
    token_hash = sessions.hash_token(token)
    try:
        rows = query.rows(
            token_hash=token_hash,
            origin=origin,
            seen_after=seen_after,
            **sessions.alive_at(moment),
        )
    except query.driver_error as error:
        raise OperationalError(None, None, error) from error
    return _visitor(token_hash, rows) if rows else None


def _at_gate(facts: ColumnElement[Any]) -> AnySelect:
    """Select visitors by the cookie of a host behind a gate."""
    gates = (
        _select(GateRow.name, GateRow.rules, facts)
        .select_from(GateSessionRow)
        .join(GateHostRow, GateHostRow.origin == GateSessionRow.origin)
        .join(GateRow, GateRow.id == GateHostRow.gate_id)
        .join(Session, Session.id == GateSessionRow.session_id)
    )
    return _with_person(gates).where(
        GateSessionRow.token_hash == bindparam("token_hash"),
        GateSessionRow.origin == bindparam("origin"),
    )


def _on_own_host(facts: ColumnElement[Any]) -> AnySelect:
    """Select visitors by the session cookie."""
    gate = select(GateHostRow.origin).where(GateHostRow.origin == bindparam("origin")).exists()
    here = _select(null(), null(), facts).select_from(Session)
    return _with_person(here).where(Session.token_hash == bindparam("token_hash"), ~gate)


def _select(name: _Column, rules: _Column, facts: ColumnElement[Any]) -> AnySelect:
    """Select gate, session, user, the user's groups and roles, and each identity with facts."""
    return select(
        name,
        rules,
        Session.id,
        Session.provider,
        User.id,
        User.name,
        User.email_choice,
        groups.names_of_user(),
        User.role_names,
        facts,
        *(getattr(OAuth, name) for name in IdentityRow._fields),
    )


def _with_person(query: AnySelect) -> AnySelect:
    """Join the person of a session, with the oldest identity first."""
    return (
        query.join(User, User.id == Session.user_id)
        .join(OAuth, OAuth.user_id == User.id)
        .where(Session.last_seen_at > bindparam("seen_after"))
        .order_by(OAuth.linked_at, OAuth.id)
    )


def _facts() -> ColumnElement[Any]:
    """Select what is kept about an identity for the rules of ACCESS_FILE."""
    return select(AccessCheck.facts).where(AccessCheck.identity_id == OAuth.id).scalar_subquery()


def _visitor(token_hash: str, rows: Sequence[Sequence[Any]]) -> Visitor:
    gate, rules, session_id, provider, user_id, name, choice, names, role_names, *_ = rows[0]
    return Visitor(
        gate or OWN_HOST,
        registry.split(rules or ""),
        token_hash,
        session_id,
        provider,
        user_id,
        name or "",
        choice,
        groups.split(names),
        roles.split(role_names),
        [IdentityRow(*row[FIRST_IDENTITY_COLUMN:]) for row in rows],
        {row[FIRST_IDENTITY_COLUMN]: checks.read_stored(row[FACTS_COLUMN]) for row in rows},
    )
