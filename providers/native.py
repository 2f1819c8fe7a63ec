"""ID tokens that apps bring: from a provider's own SDK on the device, or from Firebase."""

from collections.abc import Collection, Iterable
from typing import Any, Protocol

from errors import IdTokenRefused, ProviderError
from providers.base import Grant, NotShared, Profile, Provider
from providers.jwt import ID_TOKEN_MAX_CHARACTERS, VerifiedClaims, read_segment, require
from providers.openid_connect import Issuer


class Verifier(Protocol):
    """Who can check the ID tokens of some issuers."""

    @property
    def issuers(self) -> frozenset[str]:
        """The values of ``iss`` that it answers for."""

    def verify(self, unverified_token: str) -> Grant:
        """Whom the token speaks of. Raises IdTokenRefused or ProviderError."""


class NativeTokens:
    """The ID tokens that an OpenID Connect provider gives to an operator's own apps."""

    def __init__(self, provider: Provider, issuer: Issuer, client_ids: Collection[str]) -> None:
        self._provider = provider
        self._issuer = issuer
        self._client_ids = frozenset(client_ids)

    @property
    def issuers(self) -> frozenset[str]:
        return self._issuer.accepted

    def verify(self, unverified_token: str) -> Grant:
        claims = self._issuer.check_native_token(unverified_token, self._client_ids)
        return Grant(
            provider=self._provider.name,
            issuer=self._issuer.url,
            profile=self._profile(claims),
            proved_at=proved_at(claims),
        )

    def _profile(self, claims: VerifiedClaims) -> Profile:
        def get(what: str) -> Any:
            if what != "id_token":
                raise NotShared("an ID token alone lets nothing else be asked")
            return claims

        try:
            return self._provider.profile(get)
        except ProviderError as error:
            raise IdTokenRefused(error.detail) from error


def proved_at(claims: VerifiedClaims) -> float:
    """When the person signed in to their provider; else when it last spoke of them."""
    said, issued = claims.get("auth_time"), claims["iat"]
    if isinstance(said, int | float) and not isinstance(said, bool):
        return float(max(0, min(said, issued)))
    return float(max(0, issued))


class IdTokens:
    """All ID tokens that are taken, each checked by the one who answers for its issuer."""

    def __init__(self, verifiers: Iterable[Verifier]) -> None:
        self._by_issuer = {issuer: one for one in verifiers for issuer in one.issuers}

    def verify(self, unverified_token: str) -> Grant:
        """Whom a token speaks of. Raises IdTokenRefused or ProviderError."""
        require(len(unverified_token) <= ID_TOKEN_MAX_CHARACTERS, "it is too long")
        unverified_issuer = read_segment(unverified_token, 1, "claims").get("iss")
        verifier = None
        if isinstance(unverified_issuer, str):
            verifier = self._by_issuer.get(unverified_issuer)
        if verifier is None:
            raise IdTokenRefused("the ID token is of no issuer that apps may use here")
        return verifier.verify(unverified_token)
