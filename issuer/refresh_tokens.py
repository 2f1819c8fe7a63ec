"""Refresh tokens: made from their grant's row, so that none has to be stored.

A token is the grant's id, a generation, and a MAC over both and the row's salt. A reader of the
database alone, or of the keys alone, can make none; every ancestor of a token is recognised; and
the successor of a token can be made again for a client that lost the answer.
"""

from dataclasses import dataclass, field
from typing import cast

from flask import current_app

from keys.signing import MAC_BYTES, Macs, decode, encode

ID_BYTES, GENERATION_BYTES = 16, 4
TOKEN_BYTES = ID_BYTES + GENERATION_BYTES + MAC_BYTES
TOKEN_CHARACTERS = len(encode(bytes(TOKEN_BYTES)))


@dataclass(frozen=True)
class Presented:
    """A refresh token that a client sent, read and not yet verified."""

    grant_id: str
    generation: int
    mac: bytes = field(repr=False)


def macs() -> Macs:
    return cast(Macs, current_app.extensions["macs"])


def make(grant_id: str, generation: int, salt: str) -> str:
    """Make the token of a generation."""
    head = _head(grant_id, generation)
    return encode(head + macs().make(head + bytes.fromhex(salt)))


def read(token: str) -> Presented | None:
    """Read a token; None if it cannot be one."""
    if len(token) != TOKEN_CHARACTERS:
        return None
    try:
        data = decode(token)
    except ValueError:
        return None
    generation = int.from_bytes(data[ID_BYTES : ID_BYTES + GENERATION_BYTES])
    return Presented(data[:ID_BYTES].hex(), generation, data[ID_BYTES + GENERATION_BYTES :])


def is_genuine(presented: Presented, salt: str) -> bool:
    """Return whether we made a token for the grant with this salt."""
    head = _head(presented.grant_id, presented.generation)
    return macs().is_valid(head + bytes.fromhex(salt), presented.mac)


def _head(grant_id: str, generation: int) -> bytes:
    return bytes.fromhex(grant_id) + generation.to_bytes(GENERATION_BYTES)
