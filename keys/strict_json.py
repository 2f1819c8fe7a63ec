"""Strict JSON (RFC 8259) from outside: every reader must see the same in it."""

import json
import math
from typing import Any, NoReturn


class InvalidJSON(ValueError):
    """The text is not JSON, or not the same JSON to every reader."""


def parse_strict_json(data: bytes | str) -> Any:
    """Parse a JSON text, in UTF-8 if it is not decoded yet. Raises InvalidJSON.

    ``json.loads`` also accepts a byte order mark, UTF-16, UTF-32, NaN, Infinity and numbers too
    large for a float, and keeps the last of two members with one name.
    """
    try:
        return _DECODER.decode(data if isinstance(data, str) else data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidJSON(str(error)) from error


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(members)
    if len(value) != len(members):
        raise ValueError("two members of an object have one name")
    return value


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
