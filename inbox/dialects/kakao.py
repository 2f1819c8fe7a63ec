"""Kakao's unlink webhook: a person took the permission back, or deleted their account.

https://developers.kakao.com/docs/latest/en/kakaologin/callback
"""

import hashlib
import hmac
from collections.abc import Sequence

from inbox.notices import Delivery, Dialect, Kind, Notice, Reading, Reply
from inbox.signatures import require
from providers.protocols.connector import Connector

UNAUTHORIZED, FORBIDDEN = Reply(401), Reply(403)
ENDED = ("UNLINK_FROM_ADMIN", "UNLINK_FROM_APPS", "INCOMPLETE_SIGN_UP")
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
            subject=form.get("user_id", "")[:255],
        )
        return Reading((notice,))

    def reply_to(self, reading: Reading, _code: str) -> Reply:
        return reading.reply


def key_of(delivery: Delivery) -> str:
    """Return what two copies share: Kakao sends neither an id nor a time, so the same fields within
    one minute are one notice."""
    fields = sorted(delivery.form.items())
    minute = delivery.at.strftime("%Y-%m-%dT%H:%M")
    return hashlib.sha256(f"{minute}{fields}".encode()).hexdigest()


def dialects(connector: Connector) -> Sequence[Dialect]:
    """Return the webhook, if admin key and app id are set."""
    registration = connector.registration
    if registration.admin_key is None or registration.app_id is None:
        return []
    return [Unlinked(connector, registration.admin_key.get_secret_value(), registration.app_id)]
