"""The OpenID Connect client: OAuth 2.0 with an issuer, whose metadata configure the rest.

https://openid.net/specs/openid-connect-core-1_0.html
"""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from config.registrations import ClientAuth, Registration
from errors import ProviderError, StateMismatch
from keys.jwt import VerifiedClaims, quoted
from providers.base import Flow, Get, Provider
from providers.http.transport import Transport
from providers.parts import OpenIDConnect
from providers.protocols.client_auth import offered_method
from providers.protocols.connector import Token
from providers.protocols.id_token import check_fresh, check_hosted_domain, check_userinfo
from providers.protocols.oauth2 import OAuth2Client
from providers.protocols.upstream_issuer import UpstreamIssuer


class OpenIDConnectClient(OAuth2Client):
    """An OpenID Connect provider as registered here."""

    issuer: UpstreamIssuer

    def __init__(
        self, provider: Provider, registration: Registration, http: Transport, redirect_uri: str
    ) -> None:
        super().__init__(provider, registration, http, redirect_uri)
        assert isinstance(provider.protocol, OpenIDConnect)
        protocol = provider.protocol
        url = protocol.canonical_issuer(registration.issuer or protocol.issuer)
        aliases = () if registration.issuer else protocol.issuer_aliases
        variable = f"{registration.key.upper()}_ISSUER"
        self.issuer = UpstreamIssuer(url, http.get_json, aliases, protocol.any_tenant, variable)

    @property
    def identity_issuer(self) -> str:
        return self.issuer.identity_issuer

    @property
    def form_origins(self) -> tuple[str, ...]:
        return (*self.issuer.form_origins, *self.provider.also_passes)

    @property
    def known_client_auth(self) -> ClientAuth:
        """Return what the provider documents, unless another issuer does not offer that."""
        documented = self.protocol.client_auth
        if documented and not self.registration.issuer:
            return documented
        return offered_method(self.issuer.metadata().client_auth_methods, documented)

    def endpoint_url(self, name: str) -> str:
        """Return the address of an endpoint: ``authorization``, ``token``, ``userinfo`` or
        ``revocation``. Raises ProviderError."""
        url = getattr(self.issuer.metadata(), f"{name}_endpoint")
        if not url:
            raise ProviderError(f"the issuer has no {name} endpoint")
        return str(url)

    def owns(self, url: str) -> bool:
        return url == self.issuer.metadata().userinfo_endpoint

    def _flow_parameters(self, flow: Flow) -> dict[str, str]:
        return {**super()._flow_parameters(flow), "nonce": flow.nonce}

    def warm_up(self) -> bool:
        return self.http.warm(self.endpoint_url("token"))

    def check_callback(self, parameters: Mapping[str, str]) -> None:
        """Check RFC 9207 2.4: the response must come from the issuer that was asked."""
        iss = parameters.get("iss")
        # An error without iss is accepted: it has no code that could be mixed up.
        if iss is None and "code" in parameters and self.issuer.metadata().sends_iss:
            raise StateMismatch("the callback lacks the iss that this issuer announces")
        if iss is not None and not self.issuer.accepts(iss):
            what = f"the callback's iss is another issuer: {quoted(iss)}"
            raise StateMismatch(f"{what} instead of {self.issuer.url}")
        super().check_callback(parameters)

    def verify_id_token(self, answer: Token, flow: Flow) -> VerifiedClaims:
        """Verify the id_token of a token response. Raises ProviderError unless it is valid,
        NotAllowed for another hosted domain than ours, NotFresh if a reauthentication is too old.
        """
        claims = self.issuer.verify_id_token(
            answer.get("id_token"),
            client_id=self.client_id,
            nonce=flow.nonce,
            access_token=answer["access_token"],
        )
        check_hosted_domain(claims, self.registration.hosted_domain)
        if flow.intent == "reauth":
            check_fresh(claims, required="max_age" in self.provider.reauth_params)
        return claims

    def _claims(self, answer: Token, claims: VerifiedClaims | None) -> dict[str, Callable[[], Any]]:
        assert claims is not None
        return {
            "id_token": lambda: claims,
            "userinfo": partial(self._fetch_userinfo, claims["sub"], answer, self.read),
        }

    def _fetch_userinfo(
        self, subject: str, token: Token, read: Callable[[str, Token], Any]
    ) -> Mapping[str, Any]:
        return check_userinfo(read(self.endpoint_url("userinfo"), token), subject)

    # After the sign-in.

    def _stored_getter(self, subject: str, token: Token) -> Get:
        """Make the ``get`` for a stored token. Outside a flow there is no id_token; userinfo has
        the same claims."""
        get = super()._stored_getter(subject, token)

        @cache
        def userinfo() -> Mapping[str, Any]:
            claims = self._fetch_userinfo(_sub(subject, token), token, self._read_stored)
            return {**claims, "iss": self.issuer.url}

        return lambda path: userinfo() if path in ("id_token", "userinfo") else get(path)

    def prepare(self) -> None:
        self.issuer.prepare()

    def _verify_refreshed(self, answer: Token, subject: str, token: Token) -> None:
        if answer.get("id_token") is not None:
            self.issuer.verify_refreshed_id_token(
                answer["id_token"],
                client_id=self.client_id,
                subject=_sub(subject, token),
                access_token=answer["access_token"],
            )

    def can_revoke(self) -> bool:
        return super().can_revoke() or bool(self.issuer.metadata().revocation_endpoint)


def _sub(subject: str, token: Token) -> str:
    """Return the sub of a person whose subject here consists of other claims; it is stored with the
    token."""
    return str(token.get("sub", subject))
