"""Any issuer's security events by push: Shared Signals Framework 1.0, CAEP and RISC (RFC 8935)."""

import hmac
from collections.abc import Sequence
from typing import Any

import structlog

from inbox import stream_states
from inbox.event_tokens import CONTENT_TYPE, Expected, refused, text_of, verify
from inbox.events import STREAM_UPDATED, VERIFICATION, kind_of, subject_of
from inbox.notices import Delivery, Dialect, Kind, Notice, NoticeRefused, Reading, Reply
from inbox.provider_keys import ProviderKeys
from inbox.reading import moment, text_at
from inbox.signed_config import SignedConfiguration
from providers.protocols.connector import Connector

log = structlog.get_logger()

TAKEN = Reply(202)
UNAUTHORIZED = Reply(401, {"err": "authentication_failed", "description": "Authorization."})


class Stream:
    """The push endpoint of one stream, which every event must name by an Authorization header."""

    methods = ("POST",)
    mimetypes = (CONTENT_TYPE,)

    def __init__(self, connector: Connector, url: str, authorization: str) -> None:
        self.provider = self.path = connector.name
        self._connector = connector
        self._authorization = authorization
        self.configuration = SignedConfiguration(url, connector.http)
        self.keys = ProviderKeys(connector.name, self.configuration.read_keys)
        self._audience = (connector.registration.ssf_audience or connector.client_id,)

    def read(self, delivery: Delivery) -> Reading:
        sent = delivery.headers.get("Authorization", "")
        if not hmac.compare_digest(sent.encode(), self._authorization.encode()):
            raise NoticeRefused(UNAUTHORIZED, "the Authorization header is wrong")
        claims = verify(text_of(delivery), Expected(self.keys, self.configuration, self._audience))
        if len(claims["events"]) != 1:
            raise refused("invalid_request", "There must be exactly one event.")
        ((uri, event),) = claims["events"].items()
        if uri == VERIFICATION:
            self._check_state(claims, event)
        if uri == STREAM_UPDATED and text_at(event, "status") != "enabled":
            log.error("notices_ended", provider=self.provider, status=text_at(event, "status"))
        return Reading((self._notice(uri, event, claims, delivery),), TAKEN)

    def _check_state(self, claims: dict[str, Any], event: object) -> None:
        """Raise NoticeRefused unless a verification is of this stream, and has our state if any."""
        stream, named = self._connector.registration.ssf_stream_id, claims.get("sub_id")
        if stream and text_at(named, "id") != stream:
            raise refused("invalid_request", "The stream is another.")
        state = event.get("state") if isinstance(event, dict) else None
        if state is not None and not stream_states.is_ours(state, self.provider):
            raise refused("invalid_state", "The state is another.")

    def _notice(
        self, uri: str, event: object, claims: dict[str, Any], delivery: Delivery
    ) -> Notice:
        kind = Kind.STREAM_ENDED if uri == STREAM_UPDATED else kind_of(uri, event)
        subject, sid = subject_of(claims.get("sub_id"), self._is_theirs)
        said = event.get("event_timestamp") if isinstance(event, dict) else None
        is_about_somebody = kind not in (Kind.PING, Kind.UNKNOWN, Kind.STREAM_ENDED)
        return Notice(
            provider=self.provider,
            route=self.path,
            key=claims["jti"],
            kind=kind,
            event_at=moment(said or claims.get("toe", claims["iat"]), delivery.at),
            issuer=self._connector.identity_issuer,
            subject=subject if is_about_somebody else "",
            sid=sid if is_about_somebody else "",
        )

    def _is_theirs(self, issuer: object) -> bool:
        known = self._connector.issuer
        return known is not None and known.accepts(issuer)


def dialects(connector: Connector) -> Sequence[Dialect]:
    """Return the endpoint, if a transmitter is set up."""
    registration = connector.registration
    if registration.ssf_configuration_url is None or registration.ssf_authorization is None:
        return []
    authorization = registration.ssf_authorization.get_secret_value()
    return [Stream(connector, registration.ssf_configuration_url, authorization)]
