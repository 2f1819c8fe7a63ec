"""Zoom: a person removed the app. https://developers.zoom.us/docs/api/webhooks/"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from inbox.notices import Delivery, Dialect, Kind, Notice, Reading, Reply
from inbox.reading import key_of, moment, parse_object, text_at
from inbox.signatures import is_hmac, require, signed_moment
from providers.protocols.connector import Connector

REFUSED = Reply(401)
MILLISECONDS = 1000
# With a colon in it we would sign what looks like a delivery.
PLAIN_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")


class AppDeauthorized:
    """The endpoint for events, which Zoom validates at set-up and every 72 hours."""

    methods = ("POST",)
    mimetypes = ("application/json",)

    def __init__(self, connector: Connector, secret: str) -> None:
        self.provider = self.path = connector.name
        self._connector = connector
        self._secret = secret

    def read(self, delivery: Delivery) -> Reading:
        stamp = delivery.headers.get("x-zm-request-timestamp", "")
        claimed = delivery.headers.get("x-zm-signature", "").removeprefix("v0=")
        message = b"v0:" + stamp.encode() + b":" + delivery.body
        require(is_hmac(self._secret, message, claimed), "the signature is wrong", REFUSED)
        signed_moment(stamp, delivery.at, REFUSED)
        document = parse_object(delivery.body, REFUSED)
        if document.get("event") == "endpoint.url_validation":
            reply = Reply(200, validation(self._secret, document))
            return Reading((self._notice(Kind.PING, delivery, delivery.at),), reply)
        return Reading((self._report(document, delivery),))

    def _report(self, document: dict[str, Any], delivery: Delivery) -> Notice:
        payload, at = document.get("payload"), document.get("event_ts")
        is_ours = text_at(payload, "client_id") == self._connector.client_id
        event_at = moment(at // MILLISECONDS if isinstance(at, int) else None, delivery.at)
        if document.get("event") != "app_deauthorized" or not is_ours:
            return self._notice(Kind.UNKNOWN, delivery, event_at)
        subject = text_at(payload, "user_id")
        return self._notice(Kind.CONSENT_REVOKED, delivery, event_at, subject)

    def _notice(
        self, kind: Kind, delivery: Delivery, event_at: datetime, subject: str = ""
    ) -> Notice:
        return Notice(
            provider=self.provider,
            route=self.path,
            # There is no id; a retry is the same body.
            key=key_of(None, delivery.body),
            kind=kind,
            event_at=event_at,
            issuer=self._connector.identity_issuer,
            subject=subject,
        )


def validation(secret: str, document: dict[str, Any]) -> dict[str, str]:
    """Return the proof that this endpoint knows the secret. Raises NoticeRefused."""
    plain = text_at(document, "payload", "plainToken")
    require(PLAIN_TOKEN.fullmatch(plain), "plainToken is another kind of text", REFUSED)
    digest = hmac.new(secret.encode(), plain.encode(), hashlib.sha256).hexdigest()
    return {"plainToken": plain, "encryptedToken": digest}


def dialects(connector: Connector) -> Sequence[Dialect]:
    """Return the endpoint, if its secret token is set."""
    secret = connector.registration.webhook_secret
    return [AppDeauthorized(connector, secret.get_secret_value())] if secret else []
