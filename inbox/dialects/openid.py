"""Any OpenID Connect issuer: a person signed out there (OpenID Connect Back-Channel Logout 1.0)."""

import hashlib
import time
from collections.abc import Sequence
from typing import Any

from accounts import provider_acts
from inbox import receipts
from inbox.dialects import signals
from inbox.event_tokens import Expected, verify
from inbox.notices import Delivery, Dialect, Kind, Notice, NoticeRefused, Reading, Reply
from inbox.provider_keys import ProviderKeys, published_keys
from inbox.reading import moment, text_at
from keys.jwt import LEEWAY_SECONDS
from providers.protocols.connector import Connector
from providers.protocols.upstream_issuer import UpstreamIssuer

EVENT = "http://schemas.openid.net/event/backchannel-logout"
TYPES = ("", "jwt", "logout+jwt")
OLD_SECONDS = 600


class Issuers:
    """The ``iss`` values that an issuer may write, of any of its tenants."""

    def __init__(self, issuer: UpstreamIssuer) -> None:
        self._issuer = issuer

    def __contains__(self, issuer: object) -> bool:
        return self._issuer.accepts(issuer)


class Logout:
    """The back-channel logout endpoint of this site as a client of one issuer."""

    methods = ("POST",)
    mimetypes = ("application/x-www-form-urlencoded",)

    def __init__(self, connector: Connector, issuer: UpstreamIssuer) -> None:
        self.provider = connector.name
        self.path = f"{connector.name}/logout"
        self._connector = connector
        self._issuer = issuer
        self.keys = ProviderKeys(connector.name, lambda: published_keys(connector))

    def read(self, delivery: Delivery) -> Reading:
        token = delivery.form.get("logout_token", "")
        try:
            claims = self._verify(token)
            notice = self._notice(claims, token, delivery)
        except NoticeRefused as refusal:
            raise _refused(refusal.detail) from None
        self._check_session(notice)
        earlier = receipts.detail_of(notice)
        if earlier is not None and earlier != notice.detail:
            raise _refused("another token had this jti")
        return Reading((notice,))

    def _verify(self, token: str) -> dict[str, Any]:
        audience = (self._connector.client_id,)
        issuers = Issuers(self._issuer)
        expected = Expected(
            self.keys, issuers, audience, types=TYPES, refuses=("nonce",), exp="checked"
        )
        claims = verify(token, expected)
        if not isinstance(claims["events"].get(EVENT), dict):
            raise _refused("the event is another")
        if claims["iat"] < time.time() - OLD_SECONDS:
            raise _refused("the token is old")
        if claims["iat"] > time.time() + LEEWAY_SECONDS:
            raise _refused("the token is from the future")
        return claims

    def _notice(self, claims: dict[str, Any], token: str, delivery: Delivery) -> Notice:
        subject, sid = text_at(claims, "sub"), text_at(claims, "sid")
        if not (subject or sid):
            raise _refused("neither sub nor sid")
        return Notice(
            provider=self.provider,
            route=self.path,
            key=claims["jti"],
            kind=Kind.SIGNED_OUT,
            event_at=moment(claims["iat"], delivery.at),
            issuer=self._connector.identity_issuer,
            subject=subject,
            sid=sid,
            detail=hashlib.sha256(token.encode()).hexdigest(),
        )

    def _check_session(self, notice: Notice) -> None:
        """Raise NoticeRefused if the session belongs to another person than the token says."""
        if not (notice.subject and notice.sid):
            return
        owners = provider_acts.subjects_of_session(notice.provider, notice.issuer, notice.sid)
        if owners and notice.subject not in owners:
            raise _refused("the session is another person's")


def _refused(detail: str) -> NoticeRefused:
    document = {"error": "invalid_request", "error_description": "The logout token is refused."}
    return NoticeRefused(Reply(400, document), detail)


def dialects(connector: Connector) -> Sequence[Dialect]:
    """Return the logout endpoint of an issuer; and that of its security events, if it is set up."""
    if connector.issuer is None:
        return []
    return [Logout(connector, connector.issuer), *signals.dialects(connector)]
