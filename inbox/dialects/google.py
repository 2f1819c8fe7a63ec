"""Google's Cross-Account Protection (RISC): sessions and tokens revoked, accounts hijacked.

https://developers.google.com/identity/protocols/risc
"""

from collections.abc import Sequence
from typing import Any

from inbox import stream_states
from inbox.event_tokens import Expected, each_event, text_of, verify
from inbox.events import kind_of, subject_of
from inbox.notices import Delivery, Dialect, Kind, Notice, Reading, Reply
from inbox.provider_keys import ProviderKeys
from inbox.reading import moment, text_at
from inbox.signed_config import SignedConfiguration
from providers.protocols.connector import Connector
from vault.marks import TokenName

TAKEN = Reply(202)
CONFIGURATION = "https://accounts.google.com/.well-known/risc-configuration"


class RISC:
    """The endpoint of the stream: a token is the whole body, whatever its content type."""

    methods = ("POST",)
    mimetypes = ()

    def __init__(self, connector: Connector) -> None:
        self.provider = self.path = connector.name
        self._connector = connector
        registration = connector.registration
        url = registration.risc_configuration_url or CONFIGURATION
        self.configuration = SignedConfiguration(url, connector.http)
        self.keys = ProviderKeys(connector.name, self.configuration.read_keys)
        self._audiences = (connector.client_id, *registration.mobile_client_ids)

    def read(self, delivery: Delivery) -> Reading:
        # Google documents that exp is not checked.
        expected = Expected(
            self.keys, self.configuration, self._audiences, types=None, exp="ignored"
        )
        claims = verify(text_of(delivery), expected)
        notices = [self._notice(*each, claims, delivery) for each in each_event(claims)]
        return Reading(tuple(notices), TAKEN)

    def _notice(
        self, uri: str, event: object, key: str, claims: dict[str, Any], delivery: Delivery
    ) -> Notice:
        about = event.get("subject") if isinstance(event, dict) else None
        kind = kind_of(uri, event)
        subject, _ = subject_of(about, self._is_google)
        is_token = kind is Kind.TOKEN_REVOKED
        return Notice(
            provider=self.provider,
            route=self.path,
            key=key,
            kind=kind,
            event_at=moment(claims.get("toe", claims["iat"]), delivery.at),
            issuer=self._connector.identity_issuer,
            subject="" if is_token or kind in (Kind.PING, Kind.UNKNOWN) else subject,
            token=token_name(about) if is_token else None,
            detail=self._state_of(event) if kind is Kind.PING else "",
        )

    def _is_google(self, issuer: object) -> bool:
        known = self._connector.issuer
        bare = issuer.rstrip("/") if isinstance(issuer, str) else issuer
        return known is not None and known.accepts(bare)

    def _state_of(self, event: object) -> str:
        """Return the state of a verification that was asked for here."""
        state = text_at(event, "state")
        return state if stream_states.is_ours(state, self.provider) else ""


def token_name(about: object) -> TokenName | None:
    """Return the refresh token that a subject names, without telling it."""
    if text_at(about, "token_type") != "refresh_token":
        return None
    return TokenName.of(text_at(about, "token_identifier_alg"), text_at(about, "token"))


def dialects(connector: Connector) -> Sequence[Dialect]:
    """Return the endpoint; Google's keys prove what comes."""
    return [RISC(connector)]
