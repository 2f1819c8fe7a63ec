"""The OpenID Connect client: OAuth 2.0 with an issuer, whose metadata configure the rest.

https://openid.net/specs/openid-connect-core-1_0.html
"""

import secrets
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any
from urllib.parse import urljoin

import structlog

from config.registrations import ClientAuth, Registration
from errors import Misconfigured, ProviderError, StateMismatch
from keys.client_assertion import ClientKey, load_client_key
from keys.jwt import VerifiedClaims, quoted
from providers.answers import HTTPAnswer
from providers.base import Flow, Get, NotShared, Provider
from providers.http.responses import check_status, parse_json
from providers.http.transport import Transport
from providers.parts import OpenIDConnect, origin
from providers.protocols.client_auth import offered_method
from providers.protocols.connector import Token, with_query
from providers.protocols.id_token import check_fresh, check_hosted_domain, check_userinfo
from providers.protocols.oauth2 import OAuth2Client
from providers.protocols.token_endpoint import read_request_uri
from providers.protocols.upstream_issuer import UpstreamIssuer

log = structlog.get_logger()

# A client assertion is made for each request.
ASSERTION_SECONDS = 60


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
        self._key: ClientKey | None = None
        self.issuer = UpstreamIssuer(url, http.get_json, aliases, protocol.any_tenant, variable)

    @property
    def identity_issuer(self) -> str:
        return self.issuer.identity_issuer

    @property
    def form_origins(self) -> tuple[str, ...]:
        return self.issuer.form_origins

    @property
    def known_client_auth(self) -> ClientAuth:
        """Return what the provider documents, unless another issuer does not offer that."""
        documented = self.protocol.client_auth
        if documented and not self.registration.issuer:
            return documented
        return offered_method(self.issuer.metadata().client_auth_methods, documented)

    def client_assertion(self, url: str) -> str:
        """Sign a JWT by which this endpoint knows us (RFC 7523 3).

        Its audience is the token endpoint there (OpenID Connect Core 9). Anywhere else, and at
        issuers of FAPI 2.0, which take pushed requests, it is the issuer: what one endpoint gets
        must be of no use at another server's.
        """
        metadata, is_token = self.issuer.metadata(), url == self.endpoint_url("token")
        audience = url if is_token and not self.pushes_requests else self.issuer.url
        now = int(time.time())
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": audience}
        claims |= {"jti": secrets.token_urlsafe(24)}
        times = {"iat": now, "exp": now + ASSERTION_SECONDS}
        try:
            return self._client_key().sign({**claims, **times}, metadata.assertion_algorithms)
        except ValueError as error:
            raise Misconfigured(f"no client assertion can be signed: {error}") from None

    def key_faults(self) -> list[str]:
        if self.registration.private_key and self.protocol.make_secret is None:
            try:
                self._client_key()
            except ValueError as error:
                return [f"{self.registration.key.upper()}_PRIVATE_KEY: {error}"]
        return []

    def _client_key(self) -> ClientKey:
        if self._key is None:
            pem = self.registration.private_key
            key_id = self.registration.key_id
            self._key = load_client_key(pem.get_secret_value() if pem else "", key_id)
        return self._key

    @property
    def pushes_requests(self) -> bool:
        """Whether authorization requests are sent to the issuer first (RFC 9126). Raises
        ProviderError."""
        wanted = self.registration.par
        return self.issuer.metadata().demands_pushed if wanted is None else wanted

    def authorization_url(self, flow: Flow) -> str:
        if not self.pushes_requests:
            return super().authorization_url(flow)
        form = {
            **self._fixed_parameters(flow.intent, flow.chooses_account),
            **self._flow_parameters(flow),
        }
        response = self.post_as_client(self.endpoint_url("pushed"), form)
        sent = [self.client_secret, flow.state, flow.nonce]
        request_uri = read_request_uri(response, self.provider, sent)
        return with_query(
            self.endpoint_url("authorization"),
            {"client_id": self.client_id, "request_uri": request_uri},
        )

    def endpoint_url(self, name: str) -> str:
        """Return the address of an endpoint: ``authorization``, ``token``, ``userinfo``,
        ``revocation`` or ``pushed``. Raises ProviderError."""
        url = getattr(self.issuer.metadata(), f"{name}_endpoint")
        if not url:
            raise ProviderError(f"the issuer has no {name} endpoint")
        return str(url)

    def owns(self, url: str) -> bool:
        return url == self.issuer.metadata().userinfo_endpoint

    def facts_url(self, path: str) -> str:
        """Return an address relative to userinfo, which is where an access token belongs, or to
        the place that the provider has for this. Another issuer, in its stead, has userinfo."""
        documented = None if self.registration.issuer else self.protocol.criteria_url
        base = documented or self.endpoint_url("userinfo")
        url = urljoin(base, path)
        if origin(url) != origin(base):
            raise ValueError(f"{url} is not next to {base}")
        return url

    def _further_parameters(self, intent: str, chooses_account: bool) -> dict[str, str]:
        """Ask for the choice as the issuer announces that it can; every issuer has ``login``
        (OpenID Connect Core 3.1.2.1)."""
        parameters = super()._further_parameters(intent, chooses_account)
        is_choice = chooses_account and intent != "reauth" and parameters.get("prompt") == "login"
        if is_choice and "select_account" in self.issuer.metadata().prompts:
            parameters["prompt"] = "select_account"
        return parameters

    def _flow_parameters(self, flow: Flow) -> dict[str, str]:
        return {**super()._flow_parameters(flow), "nonce": flow.nonce}

    def warm_up(self) -> bool:
        return self.http.warm(self.endpoint_url("token"))

    def check_callback(self, parameters: Mapping[str, str]) -> None:
        """Check RFC 9207 2.4: the response must come from the issuer that was asked."""
        if "code" in parameters:
            self.issuer.insist()  # before the code is spent
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
            "userinfo": partial(self._fetch_userinfo, claims["sub"], answer, self.check_passing),
        }

    def _fetch_userinfo(
        self, subject: str, token: Token, check: Callable[[HTTPAnswer], None]
    ) -> Mapping[str, Any]:
        """Fetch userinfo (OpenID Connect Core 5.3).

        Raises NotShared if there is none for this issuer or this scope (RFC 6750 3.1), otherwise
        ProviderError.
        """
        url = self.issuer.metadata().userinfo_endpoint
        if not url:
            raise NotShared("the issuer has no userinfo endpoint")
        answer = self.request_as(token, url)
        check(answer)
        check_status(answer, not_shared=(403,))
        return check_userinfo(self._read_userinfo(answer), subject)

    def _read_userinfo(self, answer: HTTPAnswer) -> object:
        """Read JSON, or a signed JWT if the metadata announce that (OpenID Connect Core 5.3.2)."""
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind != "application/jwt":
            return parse_json(answer, "userinfo")
        if not self.issuer.metadata().signs_userinfo:
            raise ProviderError(
                "userinfo is a JWT, and the metadata announce no signed userinfo"
                " (userinfo_signing_alg_values_supported)"
            )
        unverified_token = answer.content.decode("ascii", "replace").strip()
        return self.issuer.verify_userinfo(unverified_token, self.client_id)

    # After the sign-in.

    def _stored_getter(self, subject: str, token: Token) -> Get:
        """Make the ``get`` for a stored token. Outside a flow there is no id_token; userinfo has
        the same claims."""
        get = super()._stored_getter(subject, token)

        @cache
        def userinfo() -> Mapping[str, Any]:
            claims = self._fetch_userinfo(_sub(subject, token), token, self.check_access)
            return {**claims, "iss": self.issuer.url}

        return lambda path: userinfo() if path in ("id_token", "userinfo") else get(path)

    def prepare(self) -> None:
        self.issuer.prepare()

    def _verify_refreshed(self, answer: Token, subject: str, token: Token) -> None:
        """Raise ProviderError if the id_token is of another person, issuer or client.

        One that has expired or cannot be verified loses its claims only: the refresh token next to
        it is the next one, and the earlier one is used up.
        """
        id_token, person = answer.get("id_token"), _sub(subject, token)
        if id_token is None:
            return
        try:
            self.issuer.verify_refreshed_id_token(
                id_token,
                client_id=self.client_id,
                subject=person,
                access_token=answer["access_token"],
            )
        except ProviderError as error:
            if self.issuer.is_of_another(id_token, self.client_id, person):
                raise
            log.warning("refreshed_id_token_ignored", provider=self.name, detail=error.detail)

    def can_revoke(self) -> bool:
        return super().can_revoke() or bool(self.issuer.metadata().revocation_endpoint)


def _sub(subject: str, token: Token) -> str:
    """Return the sub of a person whose subject here consists of other claims; it is stored with the
    token."""
    return str(token.get("sub", subject))
