"""Provider tokens at rest: sealed, bound to their identity's row, changed in place.

Also the store behind Flask-Dance's ``blueprint.token``: it speaks of the signed-in person's
own identity or of nothing, never of everybody's.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any, cast

from flask import current_app
from sqlalchemy import select

from errors import TokenUnreadable
from models import OAuth, atomic, db, now
from sealing import Sealer

_chosen: ContextVar[str | None] = ContextVar("chosen_identity", default=None)


def sealer() -> Sealer:
    return cast(Sealer, current_app.extensions["sealer"])


def store(identity: OAuth, token: Mapping[str, Any]) -> None:
    """Put a token response into an identity's row. Call within an atomic verb."""
    identity.token = sealer().seal(dict(token), _bound(identity))
    identity.token_expires_at = expiry(token)


def read(identity: OAuth) -> dict[str, Any] | None:
    """The token in a row; None when there is none or it cannot be opened any more."""
    if identity.token is None:
        return None
    try:
        return cast(dict[str, Any], sealer().open(identity.token, _bound(identity)))
    except TokenUnreadable:
        return None


def expiry(token: Mapping[str, Any]) -> datetime | None:
    """When an access token ends, from ``expires_in`` in seconds (RFC 6749 5.1)."""
    seconds = token.get("expires_in")
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdigit():
        seconds = int(seconds[:12])
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 < seconds < 10**10:
        return None
    return now() + timedelta(seconds=seconds)


@contextmanager
def using(identity_id: str) -> Iterator[None]:
    """Say which identity ``blueprint.session`` speaks for, where a person has two of a provider."""
    mark = _chosen.set(identity_id)
    try:
        yield
    finally:
        _chosen.reset(mark)


class IdentityTokens:
    """The token store that login blueprints are given. ``user_id`` tells who is signed in."""

    def __init__(self, user_id: Callable[[], str | None]) -> None:
        self._user_id = user_id

    def get(self, provider: str) -> dict[str, Any] | None:
        """The signed-in person's token for a provider; None for nobody."""
        identity = self._identity(provider)
        return read(identity) if identity else None

    @atomic
    def set(self, provider: str, token: Mapping[str, Any]) -> None:
        """Replace the token in its row; identity and owner stay. Raises LookupError for nobody."""
        store(self._existing(provider), token)

    @atomic
    def delete(self, provider: str) -> None:
        """Forget the token; the identity stays. Raises LookupError for nobody."""
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


def _bound(identity: OAuth) -> str:
    return f"oauth:{identity.id}:{identity.provider}:{identity.issuer}:{identity.subject}"
