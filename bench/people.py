"""Databases with very many people, written in bulk without the verbs; kept if a folder is named."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, create_engine, event, insert

from bench.provider import address_of
from models import OAuth, Session, User

ROWS_AT_ONCE = 10_000
# One person in this many has a session.
ONE_SESSION_IN = 10


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
    ids = {number: secrets.token_hex(16) for number in numbers}
    identities = {number: secrets.token_hex(16) for number in numbers}
    with engine.begin() as connection:
        connection.execute(
            insert(User),
            [{"id": ids[n], "name": f"Person {n}", "created_at": now} for n in numbers],
        )
        connection.execute(
            insert(OAuth),
            [_identity(n, identities[n], ids[n], issuer, now) for n in numbers],
        )
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
