"""Discord: a person took the permission back. https://discord.com/developers/docs/events/webhook-events

Discord sends wrong signatures on purpose, and stops sending to an endpoint that takes them.
"""

from collections.abc import Sequence

from inbox.notices import Delivery, Dialect, Kind, Notice, Reading, Reply
from inbox.reading import iso_moment, key_of, parse_object, text_at
from inbox.signatures import require, signed_moment
from keys.ed25519 import is_signed
from providers.protocols.connector import Connector

REFUSED = Reply(401)
TAKEN = Reply(204, mimetype="application/json")
PING = 0


class ApplicationDeauthorized:
    """The webhook events of an application."""

    methods = ("POST",)
    mimetypes = ("application/json",)

    def __init__(self, connector: Connector, public_key: str) -> None:
        self.provider = self.path = connector.name
        self._connector = connector
        self._public_key = public_key

    def read(self, delivery: Delivery) -> Reading:
        stamp = delivery.headers.get("X-Signature-Timestamp", "")
        signature = delivery.headers.get("X-Signature-Ed25519", "")
        message = stamp.encode() + delivery.body
        require(is_signed(self._public_key, message, signature), "the signature is wrong", REFUSED)
        signed_moment(stamp, delivery.at, REFUSED)
        document = parse_object(delivery.body, REFUSED)
        return Reading((self._notice(document, delivery),), TAKEN)

    def _notice(self, document: dict[str, object], delivery: Delivery) -> Notice:
        event = document.get("event")
        is_ours = text_at(document, "application_id") == self._connector.client_id
        is_end = is_ours and text_at(event, "type") == "APPLICATION_DEAUTHORIZED"
        kind = Kind.PING if document.get("type") == PING else Kind.UNKNOWN
        return Notice(
            provider=self.provider,
            route=self.path,
            # There is no id; a retry is the same body.
            key=key_of(None, delivery.body),
            kind=Kind.CONSENT_REVOKED if is_end else kind,
            event_at=iso_moment(text_at(event, "timestamp"), delivery.at),
            issuer=self._connector.identity_issuer,
            subject=text_at(event, "data", "user", "id") if is_end else "",
        )


def dialects(connector: Connector) -> Sequence[Dialect]:
    """Return the webhook, if its public key is set."""
    public_key = connector.registration.public_key
    return [ApplicationDeauthorized(connector, public_key)] if public_key else []
