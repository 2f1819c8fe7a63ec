"""Flows: how a browser comes to a gate, and the only writer of flows and gate sessions.

A browser without a gate session gets a secret at the gated host, signs in here, and brings a code
back to the page that it wanted. The code works once, for a minute, with that secret, so a link from
somebody else opens nothing: neither their account here nor this person's there.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import CursorResult, Select, delete, func, select, update

from accounts.sessions import hash_token
from gates.models import GateFlowRow, GateHostRow, GateRow, GateSessionRow
from storage import atomic, db, is_id, new_id, now

LIFETIME_SECONDS = 600
# A browser opens our page immediately after it begins a flow. A crawler that follows no redirect
# begins one with each page, so a flow that was not opened ends early.
UNOPENED_SECONDS = 120
CODE_SECONDS = 60
# Flows of people who are not signed in, of one origin; beyond that those end that would first.
MAX_WAITING, TRIMMED = 5000, 500
# The code is the last parameter of the address that a browser brings it to.
CODE_NAME = "__gate"
MAX_CODE_CHARACTERS = 64


@dataclass(frozen=True)
class Flow:
    """A flow while it is open: which page of which origin was wanted."""

    id: str
    gate: str
    origin: str
    target: str

    def address_with(self, code: str) -> str:
        """Return the wanted address with a code."""
        separator = "&" if "?" in self.target else "?"
        return f"{self.origin}{self.target}{separator}{CODE_NAME}={code}"


@dataclass(frozen=True)
class Entry:
    """A browser that has just come in: the token for its cookie, and the page that it wanted."""

    token: str = field(repr=False)
    target: str


@atomic
def begin(origin: str, target: str, known_secret: str | None) -> tuple[str, str]:
    """Begin a flow; return its id and the secret for the cookie at the gated host.

    ``known_secret``: what that cookie holds. A browser keeps the secret of a flow that is still
    open, or a second tab would shut the first one out.
    """
    secret = secrets.token_urlsafe(32)
    if known_secret and _has_open(origin, known_secret):
        secret = known_secret
    _trim(origin)
    row = GateFlowRow(
        id=new_id(),
        origin=origin,
        target=target,
        browser_hash=hash_token(secret),
        expires_at=now() + timedelta(seconds=UNOPENED_SECONDS),
    )
    db.session.add(row)
    db.session.flush()
    return row.id, secret


def _trim(origin: str) -> None:
    """Make room, so that nobody can fill the table. Flows that were opened end last."""
    waiting = (GateFlowRow.origin == origin, GateFlowRow.session_id.is_(None))
    count = db.session.scalar(select(func.count()).select_from(GateFlowRow).where(*waiting))
    if (count or 0) < MAX_WAITING:
        return
    query = select(GateFlowRow.id).where(*waiting).order_by(GateFlowRow.expires_at)
    # Without waiting for others who do the same in another order.
    ids = db.session.scalars(query.limit(TRIMMED).with_for_update(skip_locked=True)).all()
    purge(ids)


@atomic
def open_page(flow: Flow) -> None:
    """Note that a browser has come to the page of a flow: its person has time to sign in."""
    until = now() + timedelta(seconds=LIFETIME_SECONDS)
    db.session.execute(
        update(GateFlowRow).where(GateFlowRow.id == flow.id).values(expires_at=until)
    )


def _has_open(origin: str, secret: str) -> bool:
    query = select(GateFlowRow.id).where(
        GateFlowRow.browser_hash == hash_token(secret),
        GateFlowRow.origin == origin,
        GateFlowRow.expires_at > now(),
    )
    return db.session.scalar(query.limit(1)) is not None


def find(flow_id: str) -> Flow | None:
    """Return an open flow."""
    if not is_id(flow_id):
        return None
    query = (
        select(GateFlowRow.id, GateRow.name, GateFlowRow.origin, GateFlowRow.target)
        .join(GateHostRow, GateHostRow.origin == GateFlowRow.origin)
        .join(GateRow, GateRow.id == GateHostRow.gate_id)
        .where(GateFlowRow.id == flow_id, GateFlowRow.expires_at > now())
    )
    row = db.session.execute(query).one_or_none()
    return Flow(*row) if row else None


@atomic
def make_code(flow_id: str, session_id: str) -> str | None:
    """Make the code of a flow, for a session; the one before ends. None if the flow has expired."""
    code = secrets.token_urlsafe(32)
    this = update(GateFlowRow).where(GateFlowRow.id == flow_id, GateFlowRow.expires_at > now())
    result = db.session.execute(
        this.values(
            code_hash=hash_token(code),
            code_expires_at=now() + timedelta(seconds=CODE_SECONDS),
            session_id=session_id,
        )
    )
    return code if isinstance(result, CursorResult) and result.rowcount == 1 else None


@atomic
def enter(code: str, secret: str, origin: str) -> Entry | None:
    """Use a code up, and begin a gate session for its session. None if it is not this browser's,
    was used, is too old, or belongs to another origin."""
    if len(code) > MAX_CODE_CHARACTERS:
        return None
    row = db.session.scalar(
        select(GateFlowRow)
        .where(
            GateFlowRow.code_hash == hash_token(code),
            GateFlowRow.browser_hash == hash_token(secret),
            GateFlowRow.origin == origin,
            GateFlowRow.code_expires_at > now(),
        )
        .execution_options(populate_existing=True)
    )
    if row is None or not row.session_id:
        return None
    target, session_id = row.target, row.session_id
    used = db.session.execute(delete(GateFlowRow).where(GateFlowRow.id == row.id))
    if not isinstance(used, CursorResult) or used.rowcount != 1:
        return None
    _end_earlier(session_id, origin)
    token = secrets.token_urlsafe(32)
    db.session.add(
        GateSessionRow(token_hash=hash_token(token), origin=origin, session_id=session_id)
    )
    db.session.flush()
    return Entry(token, target)


def _end_earlier(session_id: str, origin: str) -> None:
    """A session belongs to one browser, which has one cookie at each origin."""
    db.session.execute(
        delete(GateSessionRow).where(
            GateSessionRow.session_id == session_id, GateSessionRow.origin == origin
        )
    )


def without_code(target: str) -> str:
    """Return a target without any code."""
    path, _, query = target.partition("?")
    kept = [each for each in query.split("&") if each.partition("=")[0] != CODE_NAME]
    return f"{path}?{'&'.join(kept)}" if kept and query else path


def code_of(target: str) -> str | None:
    """Return the last code in the query of a target, if it has one."""
    query = target.partition("?")[2]
    parts = (each.partition("=") for each in query.split("&"))
    found = [value for name, _, value in parts if name == CODE_NAME]
    return found[-1] if found else None


def expired() -> Select[str]:
    """Select the ids of expired flows."""
    return select(GateFlowRow.id).where(GateFlowRow.expires_at < now())


@atomic
def purge(ids: Sequence[str]) -> None:
    """Delete expired flows, by id."""
    db.session.execute(delete(GateFlowRow).where(GateFlowRow.id.in_(ids)))
