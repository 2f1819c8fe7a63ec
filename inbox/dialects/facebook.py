"""Facebook: a person took the permission back, or wants their data deleted.

https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

from inbox.notices import Delivery, Dialect, Kind, Notice, NoticeRefused, Reading, Reply
from inbox.reading import moment, parse_object, text_at
from inbox.signatures import require
from providers.protocols.connector import Connector

REFUSED = Reply(400, {"error": "invalid_request"})
FORM = "application/x-www-form-urlencoded"


class SignedRequest:
    """A form with one ``signed_request``: signature and payload, each in base64url.

    The signature is an HMAC-SHA256 over the encoded payload, with the app secret.
    """

    methods = ("POST",)
    mimetypes = (FORM,)

    def __init__(self, connector: Connector, act: str, kind: Kind, status_url: str = "") -> None:
        self.provider = connector.name
        self.path = f"{connector.name}/{act}"
        self._connector = connector
        self._kind = kind
        self._status_url = status_url

    def read(self, delivery: Delivery) -> Reading:
        signed = delivery.form.get("signed_request", "")
        payload = open_signed_request(signed, self._connector.registration.secret)
        subject = text_at(payload, "user_id")
        require(subject, "the payload has no user_id", REFUSED)
        notice = Notice(
            provider=self.provider,
            route=self.path,
            key=signed.partition(".")[2].rstrip("="),
            kind=self._kind,
            event_at=moment(payload.get("issued_at"), delivery.at),
            issuer=self._connector.identity_issuer,
            subject=subject,
        )
        return Reading((notice,), reply_with=self._reply_with if self._status_url else None)

    def _reply_with(self, code: str) -> Reply:
        return Reply(200, {"url": f"{self._status_url}/{code}", "confirmation_code": code})


def make_signed_request(payload: Mapping[str, object], secret: str) -> str:
    """Return a payload as Facebook signs it."""
    encoded = _encode(json.dumps(payload).encode())
    signature = hmac.new(secret.encode(), encoded.encode(), hashlib.sha256).digest()
    return f"{_encode(signature)}.{encoded}"


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def open_signed_request(signed: str, secret: str) -> dict[str, Any]:
    """Return the payload of a signed request. Raises NoticeRefused."""
    require(signed.count(".") == 1, "signed_request has not two parts", REFUSED)
    signature, _, encoded = signed.partition(".")
    claimed = decode(signature)
    made = hmac.new(secret.encode(), encoded.encode(), hashlib.sha256).digest()
    require(hmac.compare_digest(made, claimed), "the signature is wrong", REFUSED)
    payload = parse_object(decode(encoded), REFUSED)
    algorithm = str(payload.get("algorithm", "")).upper()
    require(algorithm == "HMAC-SHA256", "algorithm is another", REFUSED)
    return payload


def decode(text: str) -> bytes:
    """Decode base64url with or without padding. Raises NoticeRefused."""
    bare = text.rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise NoticeRefused(REFUSED, "signed_request is not base64url") from None


def dialects(connector: Connector, status_url: str) -> Sequence[Dialect]:
    """Return the two callbacks. ``status_url``: where the pages of deletions are."""
    return (
        SignedRequest(connector, "deauthorize", Kind.CONSENT_REVOKED),
        SignedRequest(connector, "delete", Kind.DELETION_ASKED, status_url),
    )
