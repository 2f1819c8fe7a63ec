"""Flows: attempts to sign in, link or reauthenticate, from the button to the callback.

A flow belongs to one provider, one browser (a cookie of its own), one intent and, if a person was
signed in, to that person. It lives 10 minutes and is used once: its row is deleted before the token
request. A question to the person is stored as a new row (questions.py). Flows are rows, so a
restart or another instance makes no difference.
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, delete, select

from accounts import actors, flow_rows, identities
from accounts.activity import Caller, network
from accounts.flow_rows import FlowRow
from accounts.models import Flow as FlowTable
from accounts.sessions import hash_token
from errors import (
    CookiesBlocked,
    Expired,
    ProviderError,
    StateMismatch,
    TooManyAttempts,
)
from providers.base import RequestToken
from storage import atomic, db, new_id, now

LIFETIME_SECONDS = 600
# An expired flow is kept this long, so that a late callback gets the right error.
KEPT_SECONDS = 24 * 3600
MAX_OPEN_PER_BROWSER = 8
MAX_OPEN_PER_ADDRESS = 500
STATE_MAX_CHARACTERS = 128


class Intent(StrEnum):
    """The purpose of a flow; the values are stored."""

    SIGN_IN = "sign_in"
    ASK_EMAIL = "ask_email"
    VERIFY_OWNERSHIP = "prove"
    LINK = "link"
    REAUTHENTICATE = "reauth"
    # One Tap's nonce: it ends at its form, never at a callback.
    ONE_TAP = "one_tap"


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A flow as the callback needs it. ``cookie`` is the secret in its browser."""

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
    # When the person left for the provider, as a Unix time; None in a flow of one request.
    begun_at: float | None = None
    # Whether the provider is asked to let the person choose; known where the flow begins only.
    chooses_account: bool = False

    def __repr__(self) -> str:
        return f"<Flow {self.id} {self.intent} with {self.provider}>"


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
    """Store a new flow. Its state is random or, in OAuth 1.0a, the request token.

    Raises TooManyAttempts as ``check_open`` does, ProviderError if a provider issues the same
    request token twice, SignedOut if account or session are gone, and NotFound if the identity is.
    """
    check_open(caller.address)
    if user_id is not None:
        actors.lock(user_id, session_id)
        if identity_id is not None:
            identities.own(user_id, identity_id)
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
    if request_token and flow_rows.find_by_state(state_hash):
        raise ProviderError("the provider gave the same request token twice")
    held = [flow.code_verifier, flow.nonce, flow.request_token_secret]
    add(flow, held, caller, state_hash=state_hash)
    return flow


def for_one_request(provider: str, *, return_to: str, user_id: str | None) -> Flow:
    """Return a sign-in flow that one request begins and ends.

    It is stored only if it must wait for its person's answer (questions.py).
    """
    return Flow(
        id=new_id(),
        provider=provider,
        intent=Intent.SIGN_IN,
        return_to=return_to,
        user_id=user_id,
        session_id=None,
        identity_id=None,
        cookie=secrets.token_urlsafe(24),
    )


def check_open(address: str) -> None:
    """Raise TooManyAttempts if an address has too many open flows."""
    if flow_rows.count_open(network(address)) >= MAX_OPEN_PER_ADDRESS:
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
    """Use up the flow of a callback's state, and return it.

    ``cookies``: this browser's flow cookies, by flow id. ``user_id``, ``session_id``: of this
    browser's current session. Raises StateMismatch, Expired or CookiesBlocked; a refused flow stays
    unused.
    """
    if not state or len(state) > STATE_MAX_CHARACTERS:
        raise StateMismatch("the callback has no usable state")
    row = flow_rows.find_by_state(hash_token(state))
    if row is None or row.provider != provider:
        raise StateMismatch("no flow of this provider has that state")
    check_browser(row, cookies, has_cookies=has_cookies)
    check_person(row, user_id, session_id)
    code_verifier, nonce, request_token_secret = flow_rows.open_secrets(row)
    flow = flow_of(
        row,
        cookies[row.id],
        state=state,
        code_verifier=code_verifier,
        nonce=nonce,
        request_token_secret=request_token_secret,
    )
    flow_rows.delete_flow(flow.id, otherwise="the flow was used at this very moment")
    return flow


def check_browser(row: FlowRow, cookies: Mapping[str, str], *, has_cookies: bool) -> None:
    """Raise Expired, CookiesBlocked, or StateMismatch if another browser began the flow."""
    if row.expires_at < now():
        raise Expired("the flow has expired")
    cookie = cookies.get(row.id)
    if cookie is None and not has_cookies:
        raise CookiesBlocked("the callback came without any cookie")
    if cookie is None or not secrets.compare_digest(hash_token(cookie), row.browser_hash):
        raise StateMismatch("the flow began in another browser")


def check_person(row: FlowRow, user_id: str | None, session_id: str | None) -> None:
    """Raise StateMismatch if another person is signed in now.

    A flow begun while signed in must end as the same user; a link or reauthentication, in the same
    session.
    """
    if row.user_id not in (None, user_id) or row.session_id not in (None, session_id):
        raise StateMismatch("somebody else is signed in than when the flow began")


def own_secret(flow_id: str, values: Collection[str]) -> str:
    """Return the one of these values that is the flow's secret; empty if none is."""
    expected = db.session.scalar(select(FlowTable.browser_hash).where(FlowTable.id == flow_id))
    return next((value for value in values if hash_token(value) == expected), "")


def drop(cookies: Mapping[str, str]) -> None:
    """End a browser's flows, whatever their state; ``cookies``: its secrets for them, by id.

    Knowing a flow's id is not enough: its cookie secret is required.
    """
    if cookies:
        _drop(cookies)


@atomic
def _drop(cookies: Mapping[str, str]) -> None:
    hashes = [hash_token(cookie) for cookie in cookies.values()]
    theirs = (FlowTable.id.in_(list(cookies)), FlowTable.browser_hash.in_(hashes))
    db.session.execute(delete(FlowTable).where(*theirs))


def has_open(intent: Intent, flow_ids: Collection[str]) -> bool:
    """Return whether one of a browser's flows waits for this."""
    if not flow_ids:
        return False
    theirs = (FlowTable.id.in_(flow_ids), FlowTable.intent == intent, FlowTable.expires_at > now())
    return db.session.scalar(select(FlowTable.id).where(*theirs).limit(1)) is not None


def surplus(flow_ids: Collection[str]) -> list[str]:
    """Return the flows beyond the number that a browser may keep open: unknown ones and the
    oldest."""
    if len(flow_ids) < MAX_OPEN_PER_BROWSER:
        return []
    query = (
        select(FlowTable.id).where(FlowTable.id.in_(flow_ids)).order_by(FlowTable.created_at.desc())
    )
    kept = db.session.scalars(query.limit(MAX_OPEN_PER_BROWSER - 1)).all()
    return [flow_id for flow_id in flow_ids if flow_id not in kept]


def expired() -> Select[str]:
    """Select the ids of flows that ended a day ago."""
    ended_before = now() - timedelta(seconds=KEPT_SECONDS)
    return select(FlowTable.id).where(FlowTable.expires_at < ended_before)


@atomic
def purge(ids: Sequence[str]) -> None:
    """Delete expired flows, by id."""
    db.session.execute(delete(FlowTable).where(FlowTable.id.in_(ids)))


# Shared with questions.py.


def add(
    flow: Flow,
    held: object,
    caller: Caller,
    *,
    state_hash: str | None = None,
    parked_as: str | None = None,
) -> None:
    """Store a flow with its sealed contents: its secrets, or the assertion of a pending
    question."""
    began = now()
    flow_rows.insert_flow(
        id=flow.id,
        state_hash=state_hash,
        browser_hash=hash_token(flow.cookie),
        provider=flow.provider,
        intent=flow.intent.value,
        user_id=flow.user_id,
        session_id=flow.session_id,
        identity_id=None if parked_as else flow.identity_id,
        return_to=flow.return_to,
        secrets=flow_rows.seal(held, flow.id),
        address=network(caller.address),
        created_at=began,
        expires_at=began + timedelta(seconds=LIFETIME_SECONDS),
        parked_as=parked_as,
    )


def flow_of(row: FlowRow, cookie: str, **held: Any) -> Flow:
    return Flow(
        id=row.id,
        provider=row.provider,
        intent=Intent(row.intent),
        return_to=row.return_to,
        user_id=row.user_id,
        session_id=row.session_id,
        identity_id=row.identity_id,
        cookie=cookie,
        begun_at=row.expires_at.timestamp() - LIFETIME_SECONDS,
        **held,
    )
