"""Slack: tokens of people were revoked, or a workspace removed the app.

https://docs.slack.dev/authentication/verifying-requests-from-slack
https://docs.slack.dev/reference/events/tokens_revoked
"""

from collections.abc import Sequence
from typing import Any

from inbox.notices import Delivery, Dialect, Kind, Notice, Reading, Reply
from inbox.reading import key_of, moment, parse_object, text_at
from inbox.signatures import is_hmac, require, signed_moment
from providers.profile import clean_id
from providers.protocols.connector import Connector

REFUSED = Reply(401)
# Subjects are TEAM_USER.
JOINT = "_"


class Events:
    """The Events API."""

    methods = ("POST",)
    mimetypes = ("application/json",)

    def __init__(self, connector: Connector, secret: str) -> None:
        self.provider = self.path = connector.name
        self._issuer = connector.identity_issuer
        self._secret = secret

    def read(self, delivery: Delivery) -> Reading:
        stamp = delivery.headers.get("X-Slack-Request-Timestamp", "")
        claimed = delivery.headers.get("X-Slack-Signature", "").removeprefix("v0=")
        message = b"v0:" + stamp.encode() + b":" + delivery.body
        require(is_hmac(self._secret, message, claimed), "the signature is wrong", REFUSED)
        signed_moment(stamp, delivery.at, REFUSED)
        document = parse_object(delivery.body, REFUSED)
        if document.get("type") == "url_verification":
            ping = self._notice(document, delivery, Kind.PING, f"ping:{stamp}")
            return Reading((ping,), Reply(200, text=text_at(document, "challenge")))
        return Reading(tuple(self._notices(document, delivery)))

    def _notices(self, document: dict[str, Any], delivery: Delivery) -> list[Notice]:
        key, team = key_of(document.get("event_id"), delivery.body), text_at(document, "team_id")
        event = document.get("event")
        kind = text_at(event, "type")
        if team and JOINT not in team and kind == "app_uninstalled":
            everybody = f"{team}{JOINT}"
            return [self._notice(document, delivery, Kind.CONSENT_REVOKED, key, prefix=everybody)]
        users = _people(event) if kind == "tokens_revoked" and team else []
        if not users:
            return [self._notice(document, delivery, Kind.UNKNOWN, key)]
        return [
            self._notice(
                document,
                delivery,
                Kind.CONSENT_REVOKED,
                f"{key}:{user}",
                subject=f"{team}{JOINT}{user}",
            )
            for user in users
        ]

    def _notice(
        self,
        document: dict[str, Any],
        delivery: Delivery,
        kind: Kind,
        key: str,
        *,
        subject: str = "",
        prefix: str = "",
    ) -> Notice:
        return Notice(
            provider=self.provider,
            route=self.path,
            key=key,
            kind=kind,
            event_at=moment(document.get("event_time"), delivery.at),
            issuer=self._issuer,
            subject=subject,
            subject_prefix=prefix,
        )


def _people(event: object) -> list[str]:
    """Return the people of a tokens_revoked event: ids, not tokens; each once."""
    tokens = event.get("tokens") if isinstance(event, dict) else None
    people = tokens.get("oauth") if isinstance(tokens, dict) else None
    named = people if isinstance(people, list) else []
    return list(dict.fromkeys(user for each in named if (user := clean_id(each))))


def dialects(connector: Connector) -> Sequence[Dialect]:
    """Return the route, if the signing secret is set."""
    secret = connector.registration.signing_secret
    return [Events(connector, secret.get_secret_value())] if secret else []
