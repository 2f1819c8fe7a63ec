"""GitHub Apps: a person took the permission back.

https://docs.github.com/en/webhooks/webhook-events-and-payloads#github_app_authorization
"""

from collections.abc import Sequence

from inbox.notices import Delivery, Dialect, Kind, Notice, Reading, Reply
from inbox.reading import key_of, parse_object, text_at
from inbox.signatures import is_hmac, require
from providers.protocols.connector import Connector

REFUSED = Reply(401)
SIGNATURE = "X-Hub-Signature-256"


class AuthorizationRevoked:
    """The webhook of a GitHub App."""

    methods = ("POST",)
    mimetypes = ("application/json",)

    def __init__(self, connector: Connector, secret: str) -> None:
        self.provider = self.path = connector.name
        self._issuer = connector.identity_issuer
        self._secret = secret

    def read(self, delivery: Delivery) -> Reading:
        claimed = delivery.headers.get(SIGNATURE, "").removeprefix("sha256=")
        require(is_hmac(self._secret, delivery.body, claimed), "the signature is wrong", REFUSED)
        document = parse_object(delivery.body, REFUSED)
        event = delivery.headers.get("X-GitHub-Event", "")
        is_revoked = event == "github_app_authorization" and document.get("action") == "revoked"
        kind = Kind.PING if event == "ping" else Kind.UNKNOWN
        notice = Notice(
            provider=self.provider,
            route=self.path,
            key=key_of(delivery.headers.get("X-GitHub-Delivery", ""), delivery.body),
            kind=Kind.CONSENT_REVOKED if is_revoked else kind,
            event_at=delivery.at,
            issuer=self._issuer,
            subject=text_at(document, "sender", "id") if is_revoked else "",
        )
        return Reading((notice,))


def dialects(connector: Connector) -> Sequence[Dialect]:
    """Return the webhook, if its secret is set."""
    secret = connector.registration.webhook_secret
    return [AuthorizationRevoked(connector, secret.get_secret_value())] if secret else []
