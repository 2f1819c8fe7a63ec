"""Attempts to sign in, link or prove oneself again: the only writer of flows.

A flow belongs to one provider, one browser (a cookie of its own), one purpose and, where
somebody was signed in, to them. It lives 10 minutes and is used once: its row is gone before
the token call; what must wait for an answer is parked in a new one. Kept in the database, so
a restart or another instance changes nothing.
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Literal, cast

from sqlalchemy import Select, bindparam, delete, func, insert, select

from accounts.activity import Caller, network
from accounts.sessions import hash_token
from errors import (
    CookiesBlocked,
    Expired,
    ProviderError,
    StateMismatch,
    TokenUnreadable,
    TooManyAttempts,
)
from models import Flow as FlowRow
from models import User
from providers.base import Assertion, Profile, RequestToken
from storage import atomic, db, is_id, new_id, now
from storage.compiled import CompiledStatement
from vault import tokens

LIFETIME_SECONDS = 600
# An expired flow is kept a while, so that whoever comes back late is told so.
KEPT_SECONDS = 24 * 3600
MAX_OPEN_PER_BROWSER = 8
MAX_OPEN_PER_ADDRESS = 500
STATE_MAX_CHARACTERS = 128

_ADD = CompiledStatement(insert(FlowRow))
_OF_STATE = CompiledStatement(
    select(*FlowRow.__table__.c).where(FlowRow.state_hash == bindparam("state_hash"))
)
_DELETE = CompiledStatement(delete(FlowRow).where(FlowRow.id == bindparam("flow_id")))
_OPEN_OF_ADDRESS = CompiledStatement(
    select(func.count()).where(
        FlowRow.address == bindparam("address"), FlowRow.expires_at > bindparam("now")
    )
)

Intent = Literal["sign_in", "ask_email", "prove", "link", "reauth"]
Waiting = Literal["prove", "switch", "merge"]
# A row of flows, as the ORM gives it or plainly: both have its columns.
AFlowRow = Any


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A flow as the callback needs it. ``cookie`` is the secret that this browser keeps."""

    id: str
    provider: str
    intent: Intent
    return_to: str
    user_id: str | None
    session_id: str | None
    identity_id: str | None
    state: str = ""
    code_verifier: str = ""
    nonce: str = ""
    request_token_secret: str = ""
    cookie: str = ""

    def __repr__(self) -> str:
        return f"<Attempt {self.id} {self.intent} with {self.provider}>"


@dataclass(frozen=True)
class PendingQuestion:
    """A flow that waits for its person's answer, with what it brought."""

    flow: Flow
    waiting_for: Waiting
    assertion: Assertion


@atomic
def begin(
    provider: str,
    intent: Intent,
    *,
    return_to: str,
    caller: Caller,
    user_id: str | None = None,
    session_id: str | None = None,
    identity_id: str | None = None,
    request_token: RequestToken | None = None,
) -> Flow:
    """A new flow. Its state is random or, in OAuth 1.0a, the request token.

    Raises TooManyAttempts as ``check_open`` does, and ProviderError when a provider gives the
    same request token a second time.
    """
    check_open(caller.address)
    flow = Flow(
        id=new_id(),
        provider=provider,
        intent=intent,
        return_to=return_to,
        user_id=user_id,
        session_id=session_id,
        identity_id=identity_id,
        state=request_token.value if request_token else secrets.token_urlsafe(32),
        code_verifier=secrets.token_urlsafe(48),
        nonce=secrets.token_urlsafe(24),
        request_token_secret=request_token.secret if request_token else "",
        cookie=secrets.token_urlsafe(24),
    )
    state_hash = hash_token(flow.state)
    if request_token and _OF_STATE.row(state_hash=state_hash):
        raise ProviderError("the provider gave the same request token twice")
    held = [flow.code_verifier, flow.nonce, flow.request_token_secret]
    _add(flow, held, caller, state_hash=state_hash)
    return flow


def at_once(provider: str, *, return_to: str, user_id: str | None) -> Flow:
    """An attempt to sign in that is begun and answered by one request: it is in the database
    only if it must wait for its person's answer (``park``)."""
    return Flow(
        id=new_id(),
        provider=provider,
        intent="sign_in",
        return_to=return_to,
        user_id=user_id,
        session_id=None,
        identity_id=None,
        cookie=secrets.token_urlsafe(24),
    )


def check_open(address: str) -> None:
    """Raises TooManyAttempts when an address has left too many flows unfinished."""
    unfinished = _OPEN_OF_ADDRESS.value(address=network(address), now=now())
    if unfinished >= MAX_OPEN_PER_ADDRESS:
        raise TooManyAttempts("too many unfinished sign-ins", wait_seconds=LIFETIME_SECONDS)


@atomic
def claim(
    provider: str,
    state: str | None,
    *,
    cookies: Mapping[str, str],
    has_cookies: bool,
    user_id: str | None,
    session_id: str | None,
) -> Flow:
    """The flow of a callback's state, now used up.

    ``cookies``: this browser's flow cookies, by flow id. ``user_id``, ``session_id``: who is
    signed in now.
    Raises StateMismatch, Expired or CookiesBlocked; a flow that is refused stays unused.
    """
    if not state or len(state) > STATE_MAX_CHARACTERS:
        raise StateMismatch("the callback has no usable state")
    row = _OF_STATE.row(state_hash=hash_token(state))
    if row is None or row.provider != provider:
        raise StateMismatch("no flow of this provider has that state")
    _check_browser(row, cookies, has_cookies)
    _check_person(row, user_id, session_id)
    code_verifier, nonce, request_token_secret = _open(row)
    flow = _flow_of(
        row,
        cookies[row.id],
        state=state,
        code_verifier=code_verifier,
        nonce=nonce,
        request_token_secret=request_token_secret,
    )
    _delete(flow.id, otherwise="the flow was used at this very moment")
    return flow


def _check_browser(row: AFlowRow, cookies: Mapping[str, str], has_cookies: bool) -> None:
    if row.expires_at < now():
        raise Expired("the flow is over")
    cookie = cookies.get(row.id)
    if cookie is None and not has_cookies:
        raise CookiesBlocked("the callback came without any cookie")
    if cookie is None or not secrets.compare_digest(hash_token(cookie), row.browser_hash):
        raise StateMismatch("the flow began in another browser")


def _check_person(row: AFlowRow, user_id: str | None, session_id: str | None) -> None:
    """What somebody began while signed in ends only with them still there; what is to change
    their account, only in that very session."""
    if row.user_id not in (None, user_id) or row.session_id not in (None, session_id):
        raise StateMismatch("somebody else is signed in than when the flow began")


@atomic
def keep_question(flow: Flow, waiting_for: Waiting, assertion: Assertion, caller: Caller) -> None:
    """Keep what a flow brought until its person has answered; they have 10 minutes more.

    Raises StateMismatch when their account is gone meanwhile.
    """
    if flow.user_id and db.session.get(User, flow.user_id) is None:
        raise StateMismatch("the account is gone")
    _add(flow, asdict(assertion), caller, parked_as=waiting_for)


def pending_question(
    flow_id: str, *, cookies: Mapping[str, str], user_id: str | None, session_id: str | None
) -> PendingQuestion:
    """A flow of this browser that waits for an answer. Raises Expired or StateMismatch."""
    row = db.session.get(FlowRow, flow_id) if is_id(flow_id) else None
    if row is None or row.parked_as is None:
        raise Expired("no such flow is waiting")
    _check_browser(row, cookies, has_cookies=True)
    _check_person(row, user_id, session_id)
    held = _open(row)
    assertion = Assertion(
        provider=held["provider"],
        issuer=held["issuer"],
        profile=Profile(**held["profile"]),
        scopes=tuple(held["scopes"]),
        token=held["token"],
        auth_time=held.get("auth_time", held.get("proved_at")),
        is_relayed=held.get("is_relayed", False),
    )
    return PendingQuestion(_flow_of(row, cookies[row.id]), cast(Waiting, row.parked_as), assertion)


@atomic
def take_question(flow: Flow) -> None:
    """End a parked flow because it is being answered now. Raises StateMismatch the second time."""
    _delete(flow.id, otherwise="that question was answered already")


def drop(cookies: Mapping[str, str]) -> None:
    """End a browser's flows, whatever their state; ``cookies``: its secrets for them, by id.

    Who knows an id without its secret ends nothing.
    """
    if cookies:
        _drop(cookies)


@atomic
def _drop(cookies: Mapping[str, str]) -> None:
    hashes = [hash_token(cookie) for cookie in cookies.values()]
    theirs = (FlowRow.id.in_(list(cookies)), FlowRow.browser_hash.in_(hashes))
    db.session.execute(delete(FlowRow).where(*theirs))


def surplus(flow_ids: Collection[str]) -> list[str]:
    """Of one browser's flows, those beyond the number it may keep open: unknown ones and the
    oldest."""
    if len(flow_ids) < MAX_OPEN_PER_BROWSER:
        return []
    query = select(FlowRow.id).where(FlowRow.id.in_(flow_ids)).order_by(FlowRow.created_at.desc())
    kept = db.session.scalars(query.limit(MAX_OPEN_PER_BROWSER - 1)).all()
    return [flow_id for flow_id in flow_ids if flow_id not in kept]


def expired() -> Select[str]:
    """The ids of what ended a day ago."""
    return select(FlowRow.id).where(FlowRow.expires_at < now() - timedelta(seconds=KEPT_SECONDS))


@atomic
def purge(ids: Sequence[str]) -> None:
    """Delete flows that are over."""
    db.session.execute(delete(FlowRow).where(FlowRow.id.in_(ids)))


def _delete(flow_id: str, *, otherwise: str) -> None:
    if _DELETE.run(flow_id=flow_id) != 1:
        raise StateMismatch(otherwise)


def _add(
    flow: Flow,
    held: object,
    caller: Caller,
    *,
    state_hash: str | None = None,
    parked_as: str | None = None,
) -> None:
    began = now()
    _ADD.run(
        id=flow.id,
        state_hash=state_hash,
        browser_hash=hash_token(flow.cookie),
        provider=flow.provider,
        intent=flow.intent,
        user_id=flow.user_id,
        session_id=flow.session_id,
        identity_id=None if parked_as else flow.identity_id,
        return_to=flow.return_to,
        secrets=tokens.sealer().seal(held, _bound(flow.id)),
        address=network(caller.address),
        created_at=began,
        expires_at=began + timedelta(seconds=LIFETIME_SECONDS),
        parked_as=parked_as,
    )


def _flow_of(row: AFlowRow, cookie: str, **held: str) -> Flow:
    return Flow(
        id=row.id,
        provider=row.provider,
        intent=cast(Intent, row.intent),
        return_to=row.return_to,
        user_id=row.user_id,
        session_id=row.session_id,
        identity_id=row.identity_id,
        cookie=cookie,
        **held,
    )


def _open(row: AFlowRow) -> Any:
    try:
        return tokens.sealer().open(row.secrets, _bound(row.id))
    except TokenUnreadable as error:
        # The key was changed while this flow was under way: to its person, it is over.
        raise Expired(str(error)) from error


def _bound(flow_id: str) -> str:
    return f"flow:{flow_id}"


def bound_to(row: FlowRow) -> str:
    """What a flow's secrets are sealed for: they open in this row only."""
    return _bound(row.id)
