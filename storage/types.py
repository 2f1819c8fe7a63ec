"""Column types and the base of all rows; ids and the current time."""

import re
import secrets
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, DateTime, Dialect, MetaData
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator


def now() -> datetime:
    """Return the current time, aware, in UTC, by the clock of this machine."""
    return datetime.now(UTC)


def new_id() -> str:
    """Return an opaque id: 32 hex digits of randomness, so ids neither leak counts nor hot-spot."""
    return secrets.token_hex(16)


def is_id(text: str) -> bool:
    """Tell whether a text from outside can be an id.

    PostgreSQL refuses to compare with some texts, such as those with a null character.
    """
    return re.fullmatch(r"[0-9a-f]{32}", text) is not None


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC time in and out, also where the database keeps no time zone (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


class Base(DeclarativeBase):
    # Names for every constraint, so that migrations can refer to them on both engines.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UTCDateTime, dict: JSON}
