"""Naver: a person took the permission back.
https://developers.naver.com/docs/login/devguide/devguide.md (chapters 4.4 and 5.4)

MD5 and CBC are Naver's choice; the MAC is verified before anything is decrypted.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from inbox.notices import Delivery, Dialect, Kind, Notice, NoticeRefused, Reading, Reply
from inbox.signatures import require, signed_moment
from keys.block_cipher import decrypt_cbc
from providers.profile import clean_id
from providers.protocols.connector import Connector

REFUSED = Reply(401)
TAKEN = Reply(204)
IV_BYTES = 16


class Unlinked:
    """The callback of an unlinked account."""

    methods = ("POST",)
    mimetypes = ("application/x-www-form-urlencoded",)

    def __init__(self, connector: Connector) -> None:
        self.provider = self.path = connector.name
        self._connector = connector

    def read(self, delivery: Delivery) -> Reading:
        names = ("clientId", "encryptUniqueId", "timestamp", "signature")
        client_id, encrypted, stamp, claimed = (delivery.form.get(name, "") for name in names)
        key = key_of(self._connector.registration.secret)
        made = signature(key, client_id, encrypted, stamp)
        is_signed = hmac.compare_digest(made.encode(), claimed.rstrip("=").encode())
        require(is_signed, "the signature is wrong", REFUSED)
        require(client_id == self._connector.client_id, "clientId is another", REFUSED)
        event_at = signed_moment(stamp, delivery.at, REFUSED)
        notice = Notice(
            provider=self.provider,
            route=self.path,
            key=f"{encrypted}:{stamp}",
            kind=Kind.CONSENT_REVOKED,
            event_at=event_at,
            issuer=self._connector.identity_issuer,
            subject=clean_id(decrypt(key, encrypted)),
        )
        return Reading((notice,), TAKEN)


def key_of(secret: str) -> bytes:
    return hashlib.md5(secret.encode(), usedforsecurity=False).digest()


def signature(key: bytes, client_id: str, encrypted: str, stamp: str) -> str:
    """Return the MAC over the values as they were sent, in base64url."""
    text = f"clientId={client_id}&encryptUniqueId={encrypted}&timestamp={stamp}"
    digest = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def decrypt(key: bytes, encrypted: str) -> str:
    """Return the person's id, from the initialization vector and AES-128-CBC. Raises
    NoticeRefused."""
    try:
        padded = encrypted.rstrip("=") + "=" * (-len(encrypted.rstrip("=")) % 4)
        held = base64.b64decode(padded, altchars=b"-_", validate=True)
        return decrypt_cbc(key, held[:IV_BYTES], held[IV_BYTES:]).decode()
    except (binascii.Error, ValueError):
        raise NoticeRefused(REFUSED, "encryptUniqueId cannot be decrypted") from None


def dialects(connector: Connector) -> Sequence[Dialect]:
    """Return the callback; the client secret proves what comes."""
    return [Unlinked(connector)]
