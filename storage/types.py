"""Column types and the base of all rows; ids and the current time."""

import re
import secrets
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, DateTime, Dialect, Index, MetaData, text
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator


def now() -> datetime:
    """Return the current time in UTC, aware, by this machine's clock."""
    return datetime.now(UTC)


def new_id() -> str:
    """Return an opaque id: 32 random hex digits, so ids neither reveal counts nor cluster."""
    return secrets.token_hex(16)


def is_id(text: str) -> bool:
    """Return whether a text from outside can be an id.

    PostgreSQL refuses to compare with some texts, such as those with a null character.
    """
    return re.fullmatch(r"[0-9a-f]{32}", text) is not None


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC time, also in databases without time zones (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


def index_of_few(name: str, condition: str, *columns: str) -> Index:
    """Return an index of the few rows that meet a condition; the others cost nothing."""
    where = text(condition)
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


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
