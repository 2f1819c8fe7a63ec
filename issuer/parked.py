"""Parked requests: they wait while their person signs in or is asked. The only writer of them.

A parked request belongs to one browser (a cookie of its own), so its address means nothing to
anybody else. It is used up by the answer.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, Select, delete, func, select, update

from accounts.activity import Caller, network
from accounts.sessions import hash_token
from errors import TooManyAttempts
from issuer.models import RequestRow
from issuer.parameters import Parameters
from storage import atomic, db, is_id, new_id, now

LIFETIME_SECONDS = 600
PUSHED_SECONDS = 60
URN = "urn:ietf:params:oauth:request_uri:"
MAX_OPEN_PER_ADDRESS = 500
# The parameters that ``authorization`` reads, and hints for its pages.
STORED = frozenset(
    {
        *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce"),
        *("code_challenge", "code_challenge_method", "dpop_jkt", "claims", "prompt", "max_age"),
        *("id_token_hint", "login_hint", "display", "ui_locales", "acr_values"),
        "post_logout_redirect_uri",
    }
)


@dataclass(frozen=True)
class Parked:
    """A request that waits. ``user_id``: whose answer the page asked for."""

    id: str
    parameters: Parameters
    user_id: str | None
    has_selected: bool
    created_at: datetime


@atomic
def park(client_id: str, parameters: Parameters, caller: Caller) -> tuple[str, str]:
    """Park a request; return its id and the secret for its browser's cookie.

    Raises TooManyAttempts if an address has too many.
    """
    address = network(caller.address)
    open_ones = select(func.count()).where(
        RequestRow.address == address, RequestRow.expires_at > now()
    )
    if (db.session.scalar(open_ones) or 0) >= MAX_OPEN_PER_ADDRESS:
        raise TooManyAttempts("too many requests wait", wait_seconds=LIFETIME_SECONDS)
    secret = secrets.token_urlsafe(24)
    row = RequestRow(
        id=new_id(),
        client_id=client_id,
        browser_hash=hash_token(secret),
        parameters=_held(parameters),
        address=address,
        created_at=now(),
        expires_at=now() + timedelta(seconds=LIFETIME_SECONDS),
    )
    db.session.add(row)
    db.session.flush()
    return row.id, secret


@atomic
def push(client_id: str, parameters: Parameters) -> str:
    """Store a pushed request; return the address by which it is used, once (RFC 9126 2.2)."""
    secret = secrets.token_urlsafe(32)
    row = RequestRow(
        id=new_id(),
        client_id=client_id,
        urn_hash=hash_token(secret),
        parameters=_held(parameters),
        created_at=now(),
        expires_at=now() + timedelta(seconds=PUSHED_SECONDS),
    )
    db.session.add(row)
    db.session.flush()
    return URN + secret


@atomic
def take_pushed(client_id: str, request_uri: str) -> Parameters | None:
    """Use a pushed request of this client up; None if there is none."""
    row = _find_pushed(client_id, request_uri)
    return _parameters(row) if row is not None and use(row.id) else None


def find_pushed(client_id: str, request_uri: str) -> Parameters | None:
    """Return a pushed request of this client, which can still be used."""
    row = _find_pushed(client_id, request_uri)
    return None if row is None else _parameters(row)


def _find_pushed(client_id: str, request_uri: str) -> RequestRow | None:
    query = select(RequestRow).where(
        RequestRow.urn_hash == hash_token(request_uri.removeprefix(URN)),
        RequestRow.expires_at > now(),
    )
    row = db.session.scalar(query)
    is_theirs = row is not None and row.parameters["values"].get("client_id") == client_id
    return row if is_theirs else None


def _held(parameters: Parameters) -> dict[str, object]:
    """Return what is stored of a request: no credentials, and nothing that nobody will read."""
    values = {name: value for name, value in parameters.values.items() if name in STORED}
    return {"values": values, "resources": list(parameters.resources)}


def _parameters(row: RequestRow) -> Parameters:
    return Parameters(dict(row.parameters["values"]), tuple(row.parameters["resources"]))


def find(request_id: str, secret: str | None) -> Parked | None:
    """Return a parked request of this browser, while it waits."""
    if not is_id(request_id) or not secret:
        return None
    query = select(RequestRow).where(RequestRow.id == request_id, RequestRow.expires_at > now())
    row = db.session.scalar(query.execution_options(populate_existing=True))
    if row is None or row.browser_hash is None:
        return None
    if not secrets.compare_digest(row.browser_hash, hash_token(secret)):
        return None
    return Parked(row.id, _parameters(row), row.user_id, row.has_selected, row.created_at)


@atomic
def note(request_id: str, *, user_id: str | None = None, has_selected: bool = False) -> None:
    """Note whose answer is asked for, or that another account has been offered."""
    values: dict[str, object] = {"has_selected": True} if has_selected else {}
    values |= {"user_id": user_id} if user_id else {}
    db.session.execute(update(RequestRow).where(RequestRow.id == request_id).values(**values))


@atomic
def use(request_id: str) -> bool:
    """Use a request up; return whether it was this call that did. Joins the transaction that
    carries the answer out."""
    result = db.session.execute(delete(RequestRow).where(RequestRow.id == request_id))
    return isinstance(result, CursorResult) and result.rowcount == 1


def expired() -> Select[str]:
    """Select the ids of expired requests."""
    return select(RequestRow.id).where(RequestRow.expires_at < now())


@atomic
def purge(ids: Sequence[str]) -> None:
    """Delete expired requests, by id."""
    db.session.execute(delete(RequestRow).where(RequestRow.id.in_(ids)))
