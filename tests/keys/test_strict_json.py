"""JSON in signed tokens: no text that two readers understand differently."""

import json

import pytest

from keys.strict_json import InvalidJSON, parse_strict_json

TEXT = '{"sub": "é", "list": [1, -2.5e3, {"a": null}], "a": true}'


def test_json_in_utf_8_is_read_as_it_is():
    assert parse_strict_json(f" {TEXT}\n".encode()) == json.loads(TEXT)


@pytest.mark.parametrize(
    "data",
    [
        *(TEXT.encode(name) for name in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")),
        *(TEXT.encode(name) for name in ("utf-32", "utf-32-le", "utf-32-be", "latin-1")),
        *(b"NaN", b"[Infinity]", b'{"exp": -Infinity}', b"[1e999]", b"[-1E400]"),
        *(b'{"a": 1, "a": 1}', b'[{"b": {"a": 1, "\\u0061": 2}}]'),
        *(b"", b"{", b"[1,]", b"{'a': 1}", b"01", b"[1] 2", b"\x00", b'"\n"', b"9" * 5000),
    ],
    ids=lambda data: ascii(data[:16]),
)
def test_json_that_readers_understand_differently_is_refused(data):
    with pytest.raises(InvalidJSON):
        parse_strict_json(data)


def test_deep_nesting_is_refused():
    with pytest.raises(InvalidJSON):
        parse_strict_json(b"[" * 100_000)
