"""Provider tokens: sealed, bound to their identity's row, updated in place, refreshed under a
lease.

This is also the store behind Flask-Dance's ``blueprint.token``: it returns the signed-in person's
own token or none, never another person's.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, cast

from flask import current_app
from sqlalchemy import select

from errors import CodeRefused, GrantEnded, ProviderDown, ProviderError, TokenUnreadable
from jobs.leases import Leasable, Lease, lease_row, release_lease
from keys.sealing import Sealer
from models import Identity, OAuth
from storage import atomic, db, now
from vault import marks

# A token that expires this soon is refreshed before use.
LEEWAY_SECONDS = 30
# How long a token is used whose lifetime cannot be read.
UNREADABLE_SECONDS = 3600
MOST_SECONDS = 10**10
NUMBER = re.compile(r"\s*[+-]?[0-9]{1,12}(\.[0-9]{0,12})?\s*", re.ASCII)
# The duration of a lease; longer than any request to a provider.
LEASE_SECONDS = 60
# How long others wait for the holder of the lease, and how often they check.
WAIT_SECONDS = 15.0
LOOK_SECONDS = 0.1

Token = dict[str, Any]
# Fetches the provider's next token response (RFC 6749 6). Raises CodeRefused if the refresh token
# is invalid, otherwise ProviderError.
Renew = Callable[[Token], Mapping[str, Any]]

_chosen: ContextVar[str | None] = ContextVar("chosen_identity", default=None)


class WithToken(Protocol):
    """The columns of an identity that its token needs."""

    @property
    def id(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def issuer(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def token(self) -> str | None: ...


def sealer() -> Sealer:
    return cast(Sealer, current_app.extensions["sealer"])


def _store(row: OAuth, token: Mapping[str, Any]) -> None:
    for name, value in token_columns(row, token).items():
        setattr(row, name, value)
    marks.note(row.id, row.provider, token)


def token_columns(identity: WithToken, token: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of an identity's row that change with a token response.

    A response without a refresh token keeps the earlier one (RFC 6749 6; some providers send one at
    the first consent only). A new one makes a concurrent refresh of the old one fail.
    """
    earlier = read(identity) or {}
    said = {name: value for name, value in token.items() if value not in (None, "")}
    held = {name: earlier[name] for name in ("refresh_token",) if name in earlier} | said
    values: dict[str, Any] = {
        "token": sealer().seal(held, bound_to(identity)),
        "token_expires_at": expiry(said),
        "grant_ended_at": None,
    }
    if held.get("refresh_token") != earlier.get("refresh_token"):
        values |= {"renewal": None, "renewal_until": None}
    return values


def ended_columns() -> dict[str, Any]:
    """Return the columns of an identity whose provider ended the grant: the token is forgotten."""
    return {"token": None, "token_expires_at": None, "grant_ended_at": now()} | {
        "renewal": None,
        "renewal_until": None,
    }


def read(identity: WithToken) -> Token | None:
    """Return the token in a row; None if there is none or no key opens it any more."""
    if identity.token is None:
        return None
    try:
        return cast(Token, sealer().open(identity.token, bound_to(identity)))
    except TokenUnreadable:
        return None


State = Literal["good", "renewable", "over", "ended", "none"]


def state(identity: Identity) -> State:
    """Return how an identity's token can be used: until it expires, as long as it is refreshed, or
    not until the next sign-in, because it has expired, was refused for good, or is missing."""
    if identity.grant_ended_at is not None:
        return "ended"
    token = read(identity)
    if token is None:
        return "none"
    if token.get("refresh_token"):
        return "renewable"
    return "over" if _is_expired(identity) else "good"


def _is_expired(identity: Identity | OAuth) -> bool:
    end = identity.token_expires_at
    return end is not None and end < now() + timedelta(seconds=LEEWAY_SECONDS)


def expiry(token: Mapping[str, Any]) -> datetime | None:
    """Return when an access token expires, from ``expires_in`` in seconds (RFC 6749 5.1).

    None: the provider does not say, so the token is used until it is refused. A lifetime that
    cannot be read is unknown, not endless; one that is not positive has passed.
    """
    if "expires_in" not in token:
        return None
    seconds = _seconds(token["expires_in"])
    return now() + timedelta(seconds=UNREADABLE_SECONDS if seconds is None else max(0, seconds))


def _seconds(said: object) -> float | None:
    """Read a number of seconds, or the text of one; None if it is neither, or of centuries."""
    if isinstance(said, str) and NUMBER.fullmatch(said):
        said = float(said)
    if isinstance(said, bool) or not isinstance(said, int | float):
        return None
    return float(said) if abs(said) < MOST_SECONDS else None


# Refreshing. Only one process at a time: a refresh token that is used twice looks stolen, and the
# provider revokes everything. The row is leased, so no lock and no connection is held while the
# provider is asked; the response is stored before it is used.
ROWS = Leasable(OAuth.id, OAuth.renewal_until, OAuth.renewal)


@dataclass(frozen=True)
class _Step:
    """What to do about a token: ``use`` it, ``refresh`` it under a lease, ``wait`` for another
    request that does, or give up because it has ``ended``."""

    do: Literal["use", "refresh", "wait", "ended"]
    token: Token = field(repr=False, default_factory=dict)
    lease: Lease | None = None


def fresh(identity_id: str, renew: Renew, refused: str = "") -> Token:
    """Return a token of this identity that can be used now, refreshed first if needed.

    ``refused``: an access token that the provider refuses although it has not expired.
    Raises GrantEnded if only a new sign-in helps, ProviderDown if another request is still
    refreshing it after WAIT_SECONDS, and what ``renew`` raises: then the token stays as it was.
    """
    give_up = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < give_up:
        step = _next_step(identity_id, refused)
        if step.do == "ended":
            raise GrantEnded("there is no token that can be used or renewed")
        if step.do == "use":
            return step.token
        if step.lease is None:
            time.sleep(LOOK_SECONDS)
        elif refreshed := _refresh(step.lease, step.token, renew):
            return refreshed
    raise ProviderDown("the token is still being renewed by another request", timed_out=True)


@atomic
def _next_step(identity_id: str, refused: str) -> _Step:
    identity = _locked(identity_id)
    token = read(identity) if identity else None
    if identity is None or token is None:
        return _Step("ended")
    is_refused = bool(refused) and token.get("access_token") == refused
    if not is_refused and not _is_expired(identity):
        return _Step("use", token)
    if not token.get("refresh_token"):
        if is_refused:
            _end(identity)
        return _Step("ended")
    lease = lease_row(ROWS, identity_id, identity.renewal, LEASE_SECONDS)
    return _Step("refresh", token, lease) if lease else _Step("wait")


def _refresh(lease: Lease, token: Token, renew: Renew) -> Token | None:
    try:
        answer = renew(token)
    except CodeRefused as error:
        _finish(lease, ended=True)
        raise GrantEnded(error.detail) from None
    except ProviderError:
        _finish(lease)
        raise
    return _finish(lease, answer)


@atomic
def _finish(
    lease: Lease, answer: Mapping[str, Any] | None = None, *, ended: bool = False
) -> Token | None:
    """End a lease with its result, and return the token that stands in the row then. Return None,
    and write nothing, if the lease was no longer ours."""
    identity = _locked(lease.key) if release_lease(lease) else None
    if identity is None:
        return None
    if ended:
        _end(identity)
    elif answer is not None:
        _store(identity, answer)
    return read(identity)


def _end(identity: OAuth) -> None:
    identity.token = identity.token_expires_at = None
    identity.grant_ended_at = now()


def _locked(identity_id: str) -> OAuth | None:
    query = select(OAuth).where(OAuth.id == identity_id).with_for_update()
    return db.session.scalar(query.execution_options(populate_existing=True))


@contextmanager
def using(identity_id: str) -> Iterator[None]:
    """Choose the identity that ``blueprint.session`` uses, if a person has two at a provider."""
    mark = _chosen.set(identity_id)
    try:
        yield
    finally:
        _chosen.reset(mark)


class IdentityTokens:
    """The token store of the login blueprints. ``user_id`` returns who is signed in."""

    def __init__(self, user_id: Callable[[], str | None]) -> None:
        self._user_id = user_id

    def get(self, provider: str) -> Token | None:
        """Return the signed-in person's token for a provider; None if nobody is signed in."""
        identity = self._identity(provider)
        return read(identity) if identity else None

    @atomic
    def set(self, provider: str, token: Mapping[str, Any]) -> None:
        """Replace the token in its row; identity and owner stay. Raises LookupError if nobody is
        signed in."""
        _store(self._existing(provider), token)

    @atomic
    def delete(self, provider: str) -> None:
        """Delete the token; the identity stays. Raises LookupError if nobody is signed in."""
        identity = self._existing(provider)
        identity.token = identity.token_expires_at = None

    def _existing(self, provider: str) -> OAuth:
        identity = self._identity(provider, lock=True)
        if identity is None:
            raise LookupError(f"nobody with a {provider} identity is signed in")
        return identity

    def _identity(self, provider: str, *, lock: bool = False) -> OAuth | None:
        user_id = self._user_id()
        if user_id is None:
            return None
        query = select(OAuth).where(OAuth.user_id == user_id, OAuth.provider == provider)
        if chosen := _chosen.get():
            query = query.where(OAuth.id == chosen)
        if lock:
            query = query.with_for_update().execution_options(populate_existing=True)
        identities = db.session.scalars(query).all()
        if len(identities) > 1:
            raise LookupError(f"several {provider} identities: say which with tokens.using(id)")
        return identities[0] if identities else None


def bound_to(identity: WithToken) -> str:
    """Return the binding of a row's sealed token: it opens in this row only."""
    return f"oauth:{identity.id}:{identity.provider}:{identity.issuer}:{identity.subject}"
