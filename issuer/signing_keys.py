"""Our signing keys: next, current and previous, in rows, so that all instances have the same.

Which key signs follows from ``active_from``: the newest that is active. A next key is published a
day before it signs and an earlier one for two days after, so every application has the key of
every token that it meets. Private keys are sealed; those that sign no more are deleted, and their
public parts kept, because an ID token may come back as a hint long after it has expired.
"""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import structlog
from flask import Flask, current_app
from sqlalchemy import select, update

from errors import NotFound, TokenUnreadable
from issuer.models import SigningKeyRow
from keys.jwk_set import Key, PublishedKey, find_candidates
from keys.sealing import Sealer
from keys.signing import ALGORITHMS, JWK, SigningKey, make_key, public_part, published
from storage import atomic, db, now

log = structlog.get_logger()

LIFETIME = timedelta(days=90)
PUBLISHED_BEFORE = timedelta(hours=24)
PUBLISHED_AFTER = timedelta(hours=48)
# With ``rotate --now``: longer than the instances take to read the rows again.
PUBLISHED_BEFORE_AT_LEAST = timedelta(seconds=60)
REREAD_SECONDS = 30.0
EXTENSION = "signing_keys"


class KeyUnreadable(Exception):
    """No key can sign: the key that sealed the current one is not configured any more, say."""


@dataclass(frozen=True)
class KeyInfo:
    """A key and its place in the rotation: next, current, previous, retired or withdrawn."""

    id: str
    alg: str
    public: JWK
    created_at: datetime
    active_from: datetime
    withdrawn_at: datetime | None
    state: str


def bound_to(row: SigningKeyRow) -> str:
    """Return the binding of a sealed private key: it opens in its row only."""
    return f"signing key:{row.id}"


def sealer() -> Sealer:
    return cast(Sealer, current_app.extensions["sealer"])


def _rows(alg: str) -> Sequence[SigningKeyRow]:
    """Return the keys of an algorithm, the newest first."""
    query = select(SigningKeyRow).where(SigningKeyRow.alg == alg)
    query = query.order_by(SigningKeyRow.number.desc())
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def _add(alg: str, rows: Sequence[SigningKeyRow], active_from: datetime) -> SigningKeyRow:
    """Add a key after ``rows``, by which the caller decided. If two processes add the same one,
    the second collides with its number, starts over and finds it."""
    private = make_key(alg)
    row = SigningKeyRow(
        id=private["kid"],
        alg=alg,
        number=rows[0].number + 1 if rows else 1,
        public=public_part(private),
        active_from=active_from,
        created_at=now(),
    )
    row.private = sealer().seal(private, bound_to(row))
    db.session.add(row)
    db.session.flush()
    log.info("signing_key_added", kid=row.id, alg=alg, active_from=active_from.isoformat())
    return row


@atomic
def ensure(alg: str) -> None:
    """Make the first key of an algorithm where there is none."""
    rows = _rows(alg)
    if not any(row.withdrawn_at is None for row in rows):
        _add(alg, rows, now())


@atomic
def rotate(alg: str, *, immediately: bool = False) -> str:
    """Make the next key, or bring it forward: it signs in a day, or with ``immediately`` in a
    minute; return its id. Tokens of the current key stay valid. Raises KeyUnreadable."""
    # Without a key that signs until then, nothing could be signed for a day.
    ensure(alg)
    wait = PUBLISHED_BEFORE_AT_LEAST if immediately else PUBLISHED_BEFORE
    active_from = now() + wait
    check_current()
    rows = _rows(alg)
    row = next((each for each in rows if _is_next(each)), None)
    if row is None:
        row = _add(alg, rows, active_from)
    row.active_from = min(row.active_from, active_from)
    return row.id


def _is_next(row: SigningKeyRow) -> bool:
    return row.withdrawn_at is None and row.active_from > now()


@atomic
def withdraw(kid: str) -> None:
    """Withdraw a key immediately: it is published no more, and what it signed is refused. Another
    takes its place. Raises NotFound."""
    row = db.session.get(SigningKeyRow, kid)
    if row is None or row.withdrawn_at is not None:
        raise NotFound("There is no such key")
    row.withdrawn_at, row.private = now(), None
    db.session.flush()
    rows = _rows(row.alg)
    others = [each for each in rows if each.withdrawn_at is None]
    if not any(each.active_from <= now() for each in others):
        following = next((each for each in others if _is_next(each)), None)
        if following is None:
            _add(row.alg, rows, now())
        else:
            following.active_from = now()
    log.warning("signing_key_withdrawn", kid=kid)


@atomic
def keep_up() -> int:
    """Make next keys in time, and delete private keys that sign no more; return how many were
    made. Raises KeyUnreadable: what is sealed with other keys, the other instances cannot open."""
    check_current()
    changed = 0
    for alg in ALGORITHMS:
        rows = _rows(alg)
        infos = [each for each in every() if each.alg == alg]
        current = next((each for each in infos if each.state == "current"), None)
        is_next_made = any(each.state == "next" for each in infos)
        if current and not is_next_made:
            ends = current.active_from + LIFETIME
            if ends - PUBLISHED_BEFORE <= now():
                _add(alg, rows, max(ends, now() + PUBLISHED_BEFORE))
                changed += 1
        gone = [each.id for each in infos if each.state == "retired"]
        mute = update(SigningKeyRow).where(
            SigningKeyRow.id.in_(gone), SigningKeyRow.private.is_not(None)
        )
        db.session.execute(mute.values(private=None))
    return changed


def every() -> list[KeyInfo]:
    """Return all keys with their states, the newest first."""
    moment, found = now(), []
    for alg in ALGORITHMS:
        superseded_at: datetime | None = None
        for row in _rows(alg):
            state = _state(row, superseded_at, moment)
            if state in ("current", "next", "previous", "retired"):
                superseded_at = row.active_from if row.active_from <= moment else None
            times = (row.created_at, row.active_from, row.withdrawn_at)
            found.append(KeyInfo(row.id, row.alg, row.public, *times, state))
    return found


def age_seconds() -> float:
    """Return for how long the oldest key that signs now has been signing; 0 if there is none."""
    since = [each.active_from for each in every() if each.state == "current"]
    return (now() - min(since)).total_seconds() if since else 0.0


def _state(row: SigningKeyRow, superseded_at: datetime | None, moment: datetime) -> str:
    if row.withdrawn_at is not None:
        return "withdrawn"
    if row.active_from > moment:
        return "next"
    if superseded_at is None:
        return "current"
    return "previous" if superseded_at > moment - PUBLISHED_AFTER else "retired"


def open_private(row: SigningKeyRow) -> SigningKey:
    """Raises KeyUnreadable."""
    try:
        return SigningKey(sealer().open(row.private or "", bound_to(row)))
    except TokenUnreadable as error:
        raise KeyUnreadable(
            f"signing key {row.id} does not open: was a key taken out of TOKEN_ENCRYPTION_KEYS?"
        ) from error


@dataclass(frozen=True)
class Ring:
    """The keys as they were read once."""

    current: dict[str, SigningKey]
    # The published keys, and every key that a hint may be signed with.
    jwks: bytes
    known: tuple[PublishedKey, ...]
    read_at: float


class KeyRing:
    """The keys of one process, read again after a while and when a token has an unknown one."""

    def __init__(self) -> None:
        self._ring: Ring | None = None
        self._lock = threading.Lock()

    def ring(self) -> Ring:
        """Return the keys, made where there are none. Raises KeyUnreadable."""
        return self.ring_if_read() or self._read()

    def ring_if_read(self) -> Ring | None:
        """Return the keys, without reading their rows; None if those must be read first."""
        ring = self._ring
        if ring is None or time.monotonic() > ring.read_at + REREAD_SECONDS:
            return None
        return ring

    def _read(self) -> Ring:
        with self._lock:
            infos = every()
            missing = [alg for alg in ALGORITHMS if not _has_current(infos, alg)]
            for alg in missing:
                ensure(alg)
            infos = every() if missing else infos
            current = {
                each.alg: open_private(_row(each.id)) for each in infos if each.state == "current"
            }
            shown = [each.public for each in infos if each.state in ("current", "next", "previous")]
            known = [each.public for each in infos if each.state not in ("withdrawn", "next")]
            jwks = json.dumps({"keys": shown}, separators=(",", ":")).encode()
            self._ring = Ring(current, jwks, published(known), time.monotonic())
            return self._ring

    def sign(self, alg: str, claims: dict[str, Any], token_type: str = "JWT") -> str:  # noqa: S107 (a type)
        """Sign with the current key. Raises KeyUnreadable."""
        key = self.ring().current.get(alg)
        if key is None:
            raise KeyUnreadable(f"no {alg} key signs now: was the clock set back?")
        return key.sign(claims, token_type)

    def sign_if_read(self, alg: str, claims: dict[str, Any], token_type: str) -> str | None:
        """Sign with the current key, without reading its row; None if that must be read first."""
        ring = self.ring_if_read()
        return None if ring is None else ring.current[alg].sign(claims, token_type)

    def candidates(self, kid: str | None, algorithm: str) -> list[Key]:
        """Return the keys that may have signed a token of ours (keys.jwt.Keys)."""
        return find_candidates(self.ring().known, kid, algorithm)

    def newer_candidates(self, kid: str | None, algorithm: str) -> list[Key]:
        """Read the rows again, then do the same; at most once a second, for strangers may ask."""
        ring = self.ring()
        if time.monotonic() > ring.read_at + 1:
            ring = self._read()
        return find_candidates(ring.known, kid, algorithm)


def check_current() -> None:
    """Open what signs now; makes nothing. Raises KeyUnreadable."""
    for each in every():
        if each.state == "current":
            open_private(_row(each.id))


def _has_current(infos: Sequence[KeyInfo], alg: str) -> bool:
    return any(each.alg == alg and each.state == "current" for each in infos)


def _row(kid: str) -> SigningKeyRow:
    row = db.session.get(SigningKeyRow, kid)
    assert row is not None
    return row


def init_app(app: Flask) -> None:
    app.extensions[EXTENSION] = KeyRing()


def key_ring() -> KeyRing:
    return cast(KeyRing, current_app.extensions[EXTENSION])
