"""The OAuth 1.0a client (RFC 5849), and the door to oauthlib, which signs its requests.

There is no state parameter: a flow is identified by its request token, and stores the token's
secret.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from oauthlib.oauth1 import Client

from config.registrations import Registration
from errors import CodeRefused, Misconfigured, ProviderBusy, ProviderError
from providers.base import Assertion, Flow, Provider, RequestToken
from providers.http.responses import Answer, is_passing, is_success
from providers.http.transport import HEADERS, Transport
from providers.parts import OAuth1
from providers.protocols.connector import Connector, Token

TOKEN_MAX_CHARACTERS = 128
KEPT = frozenset({"oauth_token", "oauth_token_secret"})


class OAuth1Client(Connector):
    """An OAuth 1.0a provider as registered here."""

    callback_parameters = ("oauth_token", "oauth_verifier", "denied")
    needs_request_token = True

    def __init__(
        self, provider: Provider, registration: Registration, http: Transport, redirect_uri: str
    ) -> None:
        super().__init__(provider, registration, http, redirect_uri)
        assert isinstance(provider.protocol, OAuth1)
        self.protocol = provider.protocol

    def fetch_request_token(self) -> RequestToken:
        """Fetch a request token (RFC 5849 2.1). Raises Misconfigured if our key is refused."""
        answer = self._fetch_credentials("request_token", callback_uri=self.redirect_uri)
        if answer.get("oauth_callback_confirmed") != "true":
            raise ProviderError("the provider did not confirm our callback")
        return RequestToken(answer["oauth_token"], answer["oauth_token_secret"])

    def authorization_url(self, flow: Flow) -> str:
        """Build the URL of the provider's consent page (RFC 5849 2.2)."""
        parameters = {
            **self.protocol.authorize_params,
            **self.provider.params_for(flow.intent, chooses_account=flow.chooses_account),
            "oauth_token": flow.state,
        }
        return f"{self.endpoint_url('authorization')}?{urlencode(parameters)}"

    def exchange(self, verifier: str, flow: Flow) -> dict[str, str]:
        """Exchange a flow's request token for an access token (RFC 5849 2.3).

        Raises CodeRefused or another ProviderError.
        """
        return self._fetch_credentials(
            "token",
            resource_owner_key=flow.state,
            resource_owner_secret=flow.request_token_secret,
            verifier=verifier,
        )

    def read_assertion(self, answer: Mapping[str, str]) -> Assertion:
        """Read the person of an access token. Raises ProviderError."""
        profile = self.provider.profile(lambda path: self.read(path, answer))
        if answer.get("user_id", profile.subject) != profile.subject:
            raise ProviderError("the profile is of another person than the access token")
        return Assertion(
            provider=self.name,
            issuer=self.identity_issuer,
            profile=profile,
            token={name: value for name, value in answer.items() if name in KEPT},
        )

    def request_as(self, token: Token, path: str) -> Answer:
        method, _, path = path.rpartition(" ")
        return self._send_signed(
            method or "GET",
            self.own_url(path),
            resource_owner_key=str(token.get("oauth_token", "")),
            resource_owner_secret=str(token.get("oauth_token_secret", "")),
        )

    def check(self) -> None:
        self.fetch_request_token()
        raise CodeRefused("a request token was given")

    def _fetch_credentials(self, name: str, **signed: str) -> dict[str, str]:
        """Return the form in the response to a signed POST."""
        response = self._send_signed("POST", self.endpoint_url(name), **signed)
        where = f"the {name} endpoint answered {response.status_code}"
        if is_passing(response):
            raise ProviderBusy(where)
        if response.status_code in (400, 401, 403):
            raise Misconfigured(where) if name == "request_token" else CodeRefused(where)
        if not is_success(response):
            raise ProviderError(where)
        answer = dict(parse_qsl(response.content.decode("utf-8", "replace")))
        token, secret = answer.get("oauth_token", ""), answer.get("oauth_token_secret", "")
        if not secret or not 0 < len(token) <= TOKEN_MAX_CHARACTERS or not token.isascii():
            raise ProviderError(f"{where} without a token")
        return answer

    def _send_signed(self, method: str, url: str, **signed: Any) -> Answer:
        """Send a request with its signature in the header (RFC 5849 3.5.1)."""
        signer = Client(self.client_id, client_secret=self.client_secret, **signed)
        url, headers, _body = signer.sign(url, method, headers=dict(HEADERS))
        return self.http.ask(method, url, headers=headers)
