"""The kinds of values that settings accept, in words: for the reference page and for faults."""

from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo


def accepts(annotation: Any) -> str:
    """Describe which values a field's type accepts."""
    kind, arguments = get_origin(annotation), get_args(annotation)
    if kind is Annotated:
        named = next((each for each in arguments[1:] if isinstance(each, str)), None)
        limits = next((each for each in arguments[1:] if isinstance(each, FieldInfo)), None)
        return named or accepts(arguments[0]) + (_range(limits) if limits else "")
    if kind in (Union, UnionType):
        return accepts(next(each for each in arguments if each is not type(None)))
    if kind is Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    return {bool: "`1` or `0`", int: "a number", str: "text", SecretStr: "text"}[annotation]


def _range(limits: FieldInfo) -> str:
    """Describe the limits of a number, or of a text's length."""
    found: dict[str, Any] = {}
    for limit in limits.metadata:
        found |= {
            name: getattr(limit, name)
            for name in ("ge", "le", "min_length", "max_length")
            if getattr(limit, name, None) is not None
        }
    words = {
        "ge": "from {}",
        "le": "to {}",
        "min_length": "of at least {} characters",
        "max_length": "of at most {} characters",
    }
    return "".join(f" {words[name].format(value)}" for name, value in found.items())


def describe_faults(error: ValidationError, model: type[BaseModel], prefix: str = "") -> list[str]:
    """Turn Pydantic's errors into lines that name the variable and never show its value."""
    hints = get_type_hints(model, include_extras=True)
    lines = []
    for fault in error.errors(include_url=False, include_input=False):
        name = str(fault["loc"][0])
        own = fault["msg"].removeprefix("Value error, ")
        message = own if fault["type"] == "value_error" else f"must be {plain(hints[name])}"
        lines.append(f"{prefix}{name.upper()}: {message}")
    return lines


def plain(annotation: Any) -> str:
    """Describe which values a field's type accepts, without Markdown."""
    words = accepts(annotation)
    is_choice = all(each.startswith("`") for each in words.split(", "))
    return (words.replace(", ", " or ") if is_choice else words).replace("`", "")
