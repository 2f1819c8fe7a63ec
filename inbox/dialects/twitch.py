"""Twitch EventSub: a person took the permission back, or deleted their account.

https://dev.twitch.tv/docs/eventsub/handling-webhook-events/
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog

from inbox.notices import Delivery, Dialect, Kind, Notice, Reading, Reply
from inbox.reading import iso_moment, parse_object, read_iso, text_at
from inbox.signatures import is_fresh, is_hmac, require
from providers.protocols.connector import Connector

log = structlog.get_logger()

REFUSED = Reply(403)
TAKEN = Reply(204)
OLD = timedelta(minutes=10)
# The characters of a time down to its seconds; nanoseconds follow.
SECONDS = 19
HEADER = "Twitch-Eventsub-Message-"
SUBSCRIPTION = "user.authorization.revoke"


class EventSub:
    """The callback of a webhook subscription."""

    methods = ("POST",)
    mimetypes = ("application/json",)

    def __init__(self, connector: Connector, secret: str) -> None:
        self.provider = self.path = connector.name
        self._connector = connector
        self._secret = secret

    def read(self, delivery: Delivery) -> Reading:
        key, stamp = (delivery.headers.get(f"{HEADER}{name}", "") for name in ("Id", "Timestamp"))
        claimed = delivery.headers.get(f"{HEADER}Signature", "").removeprefix("sha256=")
        message = key.encode() + stamp.encode() + delivery.body
        require(is_hmac(self._secret, message, claimed), "the signature is wrong", REFUSED)
        signed_at = read_iso(f"{stamp[:SECONDS]}Z")
        is_recent = signed_at is not None and is_fresh(signed_at, delivery.at, OLD)
        require(is_recent, "the signed time is not now", REFUSED)
        document = parse_object(delivery.body, REFUSED)
        kind = delivery.headers.get(f"{HEADER}Type", "")
        if kind == "webhook_callback_verification":
            notice = self._notice(Kind.PING, key, delivery)
            return Reading((notice,), Reply(200, text=text_at(document, "challenge")))
        if kind == "notification":
            return Reading((self._report(document, key, delivery),), TAKEN)
        if kind == "revocation":  # of the subscription: people are as before
            status = text_at(document, "subscription", "status")
            log.error("notices_ended", provider=self.provider, status=status)
            return Reading((self._notice(Kind.STREAM_ENDED, key, delivery),), TAKEN)
        return Reading((self._notice(Kind.UNKNOWN, key, delivery),), TAKEN)

    def _report(self, document: dict[str, Any], key: str, delivery: Delivery) -> Notice:
        event = document.get("event")
        is_ours = text_at(event, "client_id") == self._connector.client_id
        if not is_ours or text_at(document, "subscription", "type") != SUBSCRIPTION:
            return self._notice(Kind.UNKNOWN, key, delivery)
        is_gone = isinstance(event, dict) and "user_login" in event and event["user_login"] is None
        kind = Kind.ACCOUNT_GONE if is_gone else Kind.CONSENT_REVOKED
        return self._notice(kind, key, delivery, text_at(event, "user_id"))

    def _notice(self, kind: Kind, key: str, delivery: Delivery, subject: str = "") -> Notice:
        stamp = delivery.headers.get(f"{HEADER}Timestamp", "")
        return Notice(
            provider=self.provider,
            route=self.path,
            key=key,
            kind=kind,
            event_at=iso_moment(f"{stamp[:SECONDS]}Z", delivery.at),
            issuer=self._connector.identity_issuer,
            subject=subject,
        )


def dialects(connector: Connector) -> Sequence[Dialect]:
    """Return the callback, if its secret is set."""
    secret = connector.registration.webhook_secret
    return [EventSub(connector, secret.get_secret_value())] if secret else []
