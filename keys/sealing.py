"""Secrets at rest: authenticated encryption, bound to the row, with key rotation."""

import base64
import hashlib
import json
import secrets
from collections.abc import Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from errors import TokenUnreadable

NONCE_BYTES = 12


def key_id(key: str) -> str:
    """Return the id by which envelopes name a key."""
    return _id_of(_derive(key))


def _derive(key: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"quickstep sealing 1").derive(key.encode())


def _id_of(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:8]


class Sealer:
    """AES-256-GCM with the first of several keys; any of them opens.

    An envelope is ``1.<key id>.<base64url(nonce + ciphertext)>``. ``bound_to`` is authenticated
    with it: an envelope that is copied to another row does not open there.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("a Sealer needs at least one key")
        self._ciphers: dict[str, AESGCM] = {}
        for text in keys:
            raw = _derive(text)
            self._ciphers.setdefault(_id_of(raw), AESGCM(raw))
        self._first = next(iter(self._ciphers))

    def __repr__(self) -> str:
        return f"<Sealer of {len(self._ciphers)} keys, sealing with {self._first}>"

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Return the ids of the keys, the sealing key first. They reveal nothing about the keys."""
        return tuple(self._ciphers)

    def seal(self, value: Any, bound_to: str) -> str:
        """Seal a JSON value."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        data = json.dumps(value, separators=(",", ":")).encode()
        sealed = nonce + self._ciphers[self._first].encrypt(nonce, data, bound_to.encode())
        return f"1.{self._first}.{base64.urlsafe_b64encode(sealed).decode()}"

    def open(self, envelope: str, bound_to: str) -> Any:
        """Return the JSON value in an envelope. Raises TokenUnreadable."""
        version, _, rest = envelope.partition(".")
        key_id, _, text = rest.partition(".")
        cipher = self._ciphers.get(key_id)
        if version != "1" or cipher is None:
            raise TokenUnreadable(f"no key for an envelope of version {version}, key {key_id}")
        try:
            sealed = base64.urlsafe_b64decode(text)
            nonce, data = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
            return json.loads(cipher.decrypt(nonce, data, bound_to.encode()))
        except (InvalidTag, ValueError) as error:
            raise TokenUnreadable("the envelope was altered or belongs to another row") from error
