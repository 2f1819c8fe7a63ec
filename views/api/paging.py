"""Cursors: where a page of a list ended, as an opaque text.

A cursor holds the time and id of the last item shown. So a page neither skips nor repeats anything
when earlier items are added or removed, and that item itself may be gone.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from storage import is_id

Row = TypeVar("Row")
# A time, and the id that orders items of the same time.
Position = tuple[datetime, str]

CURSOR_FORMAT = "cursor"


def encode_cursor(position: Position) -> str:
    moment, row_id = position
    text = f"{moment.astimezone(UTC).isoformat()} {row_id}".encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def decode_cursor(cursor: object) -> Position | None:
    """Return the position of a cursor. Raises ValueError if it is invalid."""
    if cursor is None:
        return None
    try:
        text = base64.urlsafe_b64decode(f"{cursor}==".encode()).decode()
        moment_text, _, row_id = text.partition(" ")
        position = (datetime.fromisoformat(moment_text), row_id)
    except (ValueError, binascii.Error) as error:
        raise ValueError("is not a next_cursor of this API") from error
    # A database must be able to compare it: a time in UTC, and an id.
    is_usable = position[0].utcoffset() == timedelta(0) and is_id(row_id)
    # A position has exactly one cursor; this refuses loose base64.
    if not is_usable or encode_cursor(position) != cursor:
        raise ValueError("is not a next_cursor of this API")
    return position


def cut(
    found: Sequence[Row], limit: int, position_of: Callable[[Row], Position]
) -> tuple[Sequence[Row], str | None]:
    """Return the rows of one page, and the cursor of the next; None on the last.

    ``found``: these rows, and one more if there are more.
    """
    shown = found[:limit]
    return shown, encode_cursor(position_of(shown[-1])) if len(found) > limit else None


def page_of(
    rows: Iterable[Row],
    position_of: Callable[[Row], Position],
    *,
    after: Position | None,
    limit: int,
    newest_first: bool = False,
) -> tuple[list[Row], str | None]:
    """Return the rows of one page, and the cursor of the next; None on the last.

    For short lists: all rows are passed in, in any order.
    """
    ordered = sorted(rows, key=position_of, reverse=newest_first)
    if after is not None:
        ordered = [row for row in ordered if _is_past(position_of(row), after, newest_first)]
    shown = ordered[:limit]
    return shown, encode_cursor(position_of(shown[-1])) if len(ordered) > limit else None


def _is_past(position: Position, after: Position, newest_first: bool) -> bool:
    return position < after if newest_first else position > after
