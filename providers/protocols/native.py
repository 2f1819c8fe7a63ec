"""ID tokens from apps: of a provider's own SDK on the device, or of Firebase."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from errors import IdTokenRefused, ProviderError
from keys.jwt import ID_TOKEN_MAX_CHARACTERS, VerifiedClaims, read_segment, require
from providers.base import Assertion, Get, NotShared, Provider
from providers.criteria import Condition
from providers.parts import OpenIDConnect
from providers.protocols.connector import Connector
from providers.protocols.facts import Asked, NoPlaces, no_token, read_facts
from providers.protocols.id_token import check_hosted_domain
from providers.protocols.upstream_issuer import UpstreamIssuer


class Verifier(Protocol):
    """Verifies the ID tokens of some issuers."""

    def accepts(self, issuer: object) -> bool:
        """Whether it is responsible for this value of ``iss``."""

    def verify(self, unverified_token: str) -> Assertion:
        """Return the token's assertion. Raises IdTokenRefused or ProviderError; NotAllowed."""


class NativeTokens:
    """The ID tokens that an OpenID Connect provider gives to an operator's own apps.

    ``hosted_domain``: only accounts of this domain, as on the web. ``conditions``: what the
    operator's rules ask, as far as an ID token says.
    """

    def __init__(
        self,
        provider: Provider,
        issuer: UpstreamIssuer,
        client_ids: Collection[str],
        hosted_domain: str | None = None,
        conditions: Collection[Condition] = (),
    ) -> None:
        self._provider = provider
        self._issuer = issuer
        self._client_ids = frozenset(client_ids)
        self._hosted_domain = hosted_domain
        self._conditions = tuple(conditions)

    def accepts(self, issuer: object) -> bool:
        return self._issuer.accepts(issuer)

    def verify(self, unverified_token: str) -> Assertion:
        return self.verify_with_nonce(unverified_token)[0]

    def verify_with_nonce(self, unverified_token: str) -> tuple[Assertion, object]:
        """Return the token's nonce too, which the caller compares."""
        claims = self._issuer.verify_native_token(unverified_token, self._client_ids)
        check_hosted_domain(claims, self._hosted_domain)
        return self._assertion(claims), claims.get("nonce")

    def _assertion(self, claims: VerifiedClaims) -> Assertion:
        get = _getter(claims)
        try:
            profile = self._provider.profile(get)
        except ProviderError as error:
            raise IdTokenRefused(error.detail) from error
        name = self._provider.name
        asked = Asked(name, profile.subject, get, no_token, NoPlaces(), is_sign_in=True)
        return Assertion(
            provider=name,
            issuer=self._issuer.identity_issuer,
            profile=profile,
            auth_time=auth_time(claims),
            begun_at=float(claims["iat"]),
            facts=read_facts(self._provider, self._conditions, asked, None),
        )


def _getter(claims: VerifiedClaims) -> Get:
    """Make the ``get`` of an ID token that came alone. A form and a token response belong to a web
    callback; here both are empty."""
    known: dict[str, Any] = {"id_token": claims, "form_user": {}, "token": {}}

    def get(what: str) -> Any:
        if what not in known:
            raise NotShared("an ID token alone lets nothing else be asked")
        return known[what]

    return get


def auth_time(claims: VerifiedClaims) -> float | None:
    """Return when the person signed in to their provider, if it says so."""
    said, issued = claims.get("auth_time"), claims["iat"]
    if not isinstance(said, int | float) or isinstance(said, bool):
        return None
    return float(max(0, min(said, issued)))


class IdTokens:
    """All accepted ID tokens, each checked by the verifier of its issuer."""

    def __init__(self, verifiers: Iterable[Verifier]) -> None:
        self._verifiers = tuple(verifiers)

    def verify(self, unverified_token: str) -> Assertion:
        """Return the token's assertion. Raises IdTokenRefused or ProviderError."""
        require(len(unverified_token) <= ID_TOKEN_MAX_CHARACTERS, "it is too long")
        unverified_issuer = read_segment(unverified_token, 1, "claims").get("iss")
        for verifier in self._verifiers:
            if verifier.accepts(unverified_issuer):
                return verifier.verify(unverified_token)
        raise IdTokenRefused("the ID token is of no issuer that apps may use here")


@dataclass(frozen=True)
class OneTap:
    """A provider's One Tap: the cookie that its form repeats, and who verifies its ID tokens."""

    cookie: str
    tokens: NativeTokens


def native_tokens(connectors: Mapping[str, Connector]) -> list[NativeTokens]:
    """Build a verifier for each provider whose SDKs issue ID tokens, or whose apps the settings
    name."""
    return [
        _verifier(connector, connector.registration.mobile_client_ids)
        for connector in connectors.values()
        if isinstance(connector.provider.protocol, OpenIDConnect)
        and (connector.provider.protocol.native_tokens or connector.registration.mobile_client_ids)
    ]


def one_taps(connectors: Mapping[str, Connector]) -> dict[str, OneTap]:
    """Build a verifier for each provider with One Tap, whose tokens are for the web's
    client only."""
    return {
        name: OneTap(connector.provider.protocol.one_tap_cookie, _verifier(connector))
        for name, connector in connectors.items()
        if isinstance(connector.provider.protocol, OpenIDConnect)
        and connector.provider.protocol.one_tap_cookie
    }


def _verifier(connector: Connector, mobile_client_ids: Iterable[str] = ()) -> NativeTokens:
    assert connector.issuer is not None
    return NativeTokens(
        connector.provider,
        connector.issuer,
        (connector.client_id, *mobile_client_ids),
        connector.registration.hosted_domain,
        connector.conditions,
    )
