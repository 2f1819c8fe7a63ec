"""Databases with very many people, written in bulk without the verbs; kept if a folder is named."""

import itertools
import random
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, create_engine, event, insert

from accounts.activity import EventKind
from accounts.models import NameWord
from accounts.names import entries
from bench.provider import address_of
from models import Event, OAuth, Session, User

ROWS_AT_ONCE = 10_000
# One person in this many has a session.
ONE_SESSION_IN = 10
# And one in this many is disabled.
ONE_DISABLED_IN = 50_000
# Events of each person, and one in how many of them is of a rare kind and of a rare provider.
EVENTS_EACH = 2
ONE_RARE_IN = 100_000
DAYS = 1000
FIRST_NAMES = tuple(
    f"{begin}{end}".title()
    for end in ("na", "ro", "li", "sar", "to", "mir", "ella", "bert", "ilda", "us")
    for begin in ("an", "be", "ca", "dor", "el", "fa", "gu", "han", "in", "jo", "ka", "le", "ma")
)
LAST_NAMES = tuple(
    f"{begin}{middle}{end}".title()
    for end in ("son", "er", "ez", "ov", "ini", "sen", "ski", "man", "wood", "ley")
    for middle in ("a", "el", "in", "or", "u", "ar", "os", "em")
    for begin in ("h", "b", "ch", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w")
)


def _weights(names: tuple[str, ...]) -> list[float]:
    """Return how the sum of weights grows: a few names are common and most are rare."""
    return list(itertools.accumulate(1 / (rank + 10) for rank in range(len(names))))


_FIRST, _LAST = _weights(FIRST_NAMES), _weights(LAST_NAMES)


def seed(database_url: str, size: int, issuer: str) -> None:
    """Write people 1 to ``size`` of the provider at ``issuer`` into an upgraded database."""
    engine = create_engine(database_url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _hurry)
    for first in range(1, size + 1, ROWS_AT_ONCE):
        _write(engine, range(first, min(first + ROWS_AT_ONCE, size + 1)), issuer)
    engine.dispose()


def _hurry(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -400000")


def _write(engine: Engine, numbers: range, issuer: str) -> None:
    now = datetime.now(UTC)
    chance = random.Random(numbers.start)  # noqa: S311 (names of a benchmark)
    ids = {number: secrets.token_hex(16) for number in numbers}
    identities = {number: secrets.token_hex(16) for number in numbers}
    people = [_person(n, ids[n], now, chance) for n in numbers]
    words = [
        entry for each in people for entry in entries(each["id"], each["name"], each["created_at"])
    ]
    events = [
        _event(number * EVENTS_EACH + each, ids[number], now)
        for number in numbers
        for each in range(EVENTS_EACH)
    ]
    with engine.begin() as connection:
        connection.execute(insert(User), people)
        connection.execute(
            insert(OAuth),
            [_identity(n, identities[n], ids[n], issuer, now) for n in numbers],
        )
        connection.execute(insert(NameWord), words)
        connection.execute(insert(Event), events)
        connection.execute(
            insert(Session),
            [
                {
                    "token_hash": secrets.token_hex(32),
                    "user_id": ids[n],
                    "identity_id": identities[n],
                    "provider": "google",
                    "expires_at": now + timedelta(days=30),
                }
                for n in numbers
                if n % ONE_SESSION_IN == 0
            ],
        )


def _person(number: int, user_id: str, now: datetime, chance: random.Random) -> dict[str, Any]:
    (first,) = chance.choices(FIRST_NAMES, cum_weights=_FIRST)
    (last,) = chance.choices(LAST_NAMES, cum_weights=_LAST)
    return {
        "id": user_id,
        "name": f"{first} {last}",
        "words_of": f"{first} {last}",
        "created_at": now - timedelta(days=DAYS * chance.random()),
        "disabled_at": None if number % ONE_DISABLED_IN else now,
    }


def _event(number: int, user_id: str, now: datetime) -> dict[str, Any]:
    is_rare = number % ONE_RARE_IN == 0
    return {
        "user_id": user_id,
        "at": now - timedelta(seconds=number * 3 % (80 * 86400)),
        "kind": EventKind.MERGED if is_rare else EventKind.SIGNED_IN,
        "provider": "github" if is_rare else "google",
        "reference": f"{number:08X}",
    }


def _identity(number: int, row_id: str, user_id: str, issuer: str, now: datetime) -> dict[str, Any]:
    address = address_of("google", str(number))
    return {
        "id": row_id,
        "user_id": user_id,
        "provider": "google",
        "issuer": issuer,
        "subject": str(number),
        "email": address,
        "email_key": address,
        "email_verified": True,
        "email_trusted": True,
        "profile": {"name": f"Person {number}"},
        "linked_at": now,
        "last_used_at": now,
    }
