"""Kakao's webhooks: a person took the permission back, or deleted their account.

https://developers.kakao.com/docs/latest/en/kakaologin/callback
"""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

from inbox.event_tokens import CONTENT_TYPE, Expected, each_event, text_of, verify
from inbox.events import OAUTH, kind_of, subject_of
from inbox.notices import Delivery, Dialect, Kind, Notice, Reading, Reply
from inbox.provider_keys import ProviderKeys
from inbox.reading import moment, text_at
from inbox.signatures import require
from inbox.signed_config import SignedConfiguration
from providers.profile import clean_id
from providers.protocols.connector import Connector

UNAUTHORIZED, FORBIDDEN = Reply(401), Reply(403)
ENDED = ("UNLINK_FROM_ADMIN", "UNLINK_FROM_APPS", "INCOMPLETE_SIGN_UP")
TAKEN = Reply(202)
CONFIGURATION = "https://kauth.kakao.com/.well-known/sse-configuration"
UNLINKED = f"{OAUTH}user-unlinked"
GONE = ("ACCOUNT_DELETE", "FORCED_ACCOUNT_DELETE")


class Unlinked:
    """The admin key in a header is the whole proof."""

    mimetypes = ("application/x-www-form-urlencoded",)

    def __init__(self, connector: Connector, admin_key: str, app_id: str) -> None:
        self.provider = connector.name
        self.path = f"{connector.name}/unlink"
        self.methods = (connector.registration.unlink_method,)
        self._issuer = connector.identity_issuer
        self._admin_key = admin_key
        self._app_id = app_id

    def read(self, delivery: Delivery) -> Reading:
        sent = delivery.headers.get("Authorization", "")
        expected = f"KakaoAK {self._admin_key}"
        is_kakao = hmac.compare_digest(sent.encode(), expected.encode())
        require(is_kakao, "the admin key is wrong", UNAUTHORIZED)
        form = delivery.form
        require(form.get("app_id") == self._app_id, "app_id is another", FORBIDDEN)
        why = form.get("referrer_type", "")
        kind = Kind.CONSENT_REVOKED if why in ENDED else Kind.UNKNOWN
        notice = Notice(
            provider=self.provider,
            route=self.path,
            key=key_of(delivery),
            kind=Kind.ACCOUNT_GONE if why in GONE else kind,
            event_at=delivery.at,
            issuer=self._issuer,
            subject=clean_id(form.get("user_id")),
        )
        return Reading((notice,))


class StatusEvents:
    """The account status webhook: security event tokens, signed with Kakao's keys."""

    methods = ("POST",)
    mimetypes = (CONTENT_TYPE,)

    def __init__(self, connector: Connector) -> None:
        self.provider = self.path = connector.name
        self._connector = connector
        url = connector.registration.sse_configuration_url or CONFIGURATION
        self.configuration = SignedConfiguration(url, connector.http)
        self.keys = ProviderKeys(connector.name, self.configuration.read_keys)

    def read(self, delivery: Delivery) -> Reading:
        # Unlike RFC 8417 recommends, sub names the person at the top too.
        audience = (self._connector.client_id,)
        expected = Expected(
            self.keys, self.configuration, audience, refuses=("nonce",), exp="checked"
        )
        claims = verify(text_of(delivery), expected)
        notices = [self._notice(*each, claims, delivery) for each in each_event(claims)]
        return Reading(tuple(notices), TAKEN)

    def _notice(
        self, uri: str, event: object, key: str, claims: dict[str, Any], delivery: Delivery
    ) -> Notice:
        kind = kind_of(uri, event)
        if uri == UNLINKED:  # never a type that is unknown: user-linked comes at the very sign-up
            is_gone = text_at(event, "reason") in GONE
            kind = Kind.ACCOUNT_GONE if is_gone else Kind.CONSENT_REVOKED
        about = event.get("subject") if isinstance(event, dict) else None
        subject, _ = subject_of(about, lambda issuer: issuer in self.configuration)
        return Notice(
            provider=self.provider,
            route=self.path,
            key=key,
            kind=kind,
            event_at=moment(claims.get("toe", claims["iat"]), delivery.at),
            issuer=self._connector.identity_issuer,
            subject="" if kind in (Kind.PING, Kind.UNKNOWN) else subject,
        )


def key_of(delivery: Delivery) -> str:
    """Return what two copies share: Kakao sends neither an id nor a time, so the same fields within
    one minute are one notice."""
    fields = sorted(delivery.form.items())
    minute = delivery.at.strftime("%Y-%m-%dT%H:%M")
    return hashlib.sha256(f"{minute}{fields}".encode()).hexdigest()


def dialects(connector: Connector) -> Sequence[Dialect]:
    """Return both webhooks; that of unlinked people if admin key and app id are set."""
    registration, events = connector.registration, StatusEvents(connector)
    if registration.admin_key is None or registration.app_id is None:
        return [events]
    admin_key = registration.admin_key.get_secret_value()
    return [events, Unlinked(connector, admin_key, registration.app_id)]
