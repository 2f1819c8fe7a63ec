"""JSON as RFC 8259 has it, for what is signed: two readers must not see two things in it."""

import json
import math
from typing import Any, NoReturn


def parse_strict_json(data: bytes) -> Any:
    """The value of a JSON text in UTF-8. Raises ValueError, and RecursionError where it nests
    too deep.

    ``json.loads`` also takes a byte order mark, UTF-16, UTF-32, NaN, Infinity and numbers that
    become infinite, and of two members of one name the last.
    """
    return _DECODER.decode(data.decode("utf-8"))


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(members)
    if len(value) != len(members):
        raise ValueError("a member name stands twice in an object")
    return value


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
