"""Apple's server-to-server notifications: permission taken back, account deleted, relay on or off.

https://developer.apple.com/documentation/signinwithapple/processing-changes-for-sign-in-with-apple-accounts
"""

from collections.abc import Sequence
from typing import Any

from inbox.event_tokens import Expected, refused, verify
from inbox.notices import Delivery, Dialect, Kind, Notice, Reading, Reply
from inbox.provider_keys import ProviderKeys, published_keys
from inbox.reading import moment, parse_object, text_at
from providers.protocols.connector import Connector

REFUSED = Reply(400, {"err": "invalid_request"})
MILLISECONDS = 1000
KINDS = {
    "email-disabled": Kind.EMAIL_STOPPED,
    "email-enabled": Kind.EMAIL_RESUMED,
    "consent-revoked": Kind.CONSENT_REVOKED,
    "account-delete": Kind.ACCOUNT_GONE,
    "account-deleted": Kind.ACCOUNT_GONE,
}


class Notifications:
    """The endpoint of one group of apps: a JSON body with a signed ``payload``."""

    methods = ("POST",)
    mimetypes = ("application/json",)

    def __init__(self, connector: Connector) -> None:
        self.provider = self.path = connector.name
        self._connector = connector
        registration = connector.registration
        self.keys = ProviderKeys(connector.name, lambda: published_keys(connector))
        self._audiences = (
            connector.client_id,
            *registration.mobile_client_ids,
            *registration.notification_audiences,
        )

    def read(self, delivery: Delivery) -> Reading:
        token = parse_object(delivery.body, REFUSED).get("payload")
        if not isinstance(token, str):
            raise refused("invalid_request", "The payload is missing.")
        issuer = self._connector.issuer
        assert issuer is not None
        expected = Expected(self.keys, (issuer.url,), self._audiences, types=None, exp="checked")
        claims = verify(token, expected)
        return Reading((self._notice(claims, delivery),))

    def _notice(self, claims: dict[str, Any], delivery: Delivery) -> Notice:
        event = claims["events"]
        kind = KINDS.get(text_at(event, "type"), Kind.UNKNOWN)
        at = event.get("event_time")
        seconds = at // MILLISECONDS if isinstance(at, int) else claims["iat"]
        return Notice(
            provider=self.provider,
            route=self.path,
            key=claims["jti"],
            kind=kind,
            event_at=moment(seconds, delivery.at),
            issuer=self._connector.identity_issuer,
            subject="" if kind is Kind.UNKNOWN else text_at(event, "sub"),
        )


def dialects(connector: Connector) -> Sequence[Dialect]:
    """Return the endpoint; Apple's keys prove what comes."""
    return [Notifications(connector)]
