"""Login blueprints for OAuth 1.0a providers (RFC 5849).

There is no state parameter: the flow is known by its request token, whose secret it keeps.
"""

from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import requests
from flask import g, request
from flask_dance.consumer import OAuth1ConsumerBlueprint
from flask_dance.consumer.requests import OAuth1Session
from werkzeug.wrappers import Response

from config.registrations import Registration
from errors import Cancelled, CodeRefused, Misconfigured, ProviderError
from providers.base import Assertion, Flow, Provider, RequestToken
from providers.http.responses import read_json
from providers.http.transport import Transport, prepare
from providers.protocols.blueprint import Conversation, Gate, LoginBlueprint, Storage, TokenStore

TOKEN_MAX_CHARACTERS = 128
KEPT = frozenset({"oauth_token", "oauth_token_secret"})


class ProviderSession(Conversation, OAuth1Session):
    """One person's conversation with one provider, within one request; every call is signed."""

    blueprint: "OAuth1LoginBlueprint"

    def __init__(self, blueprint: "OAuth1LoginBlueprint", **kwargs: Any) -> None:
        super().__init__(blueprint=blueprint, **kwargs)
        self.keep_to(blueprint.transport)

    def parse_authorization_response(self, _url: str) -> dict[str, str]:
        """Take up the flow's request token and the callback's verifier (RFC 5849 2.3)."""
        verifier = request.args.get("oauth_verifier", "")
        if not verifier or len(verifier) > TOKEN_MAX_CHARACTERS:
            raise ProviderError("the callback holds no verifier")
        signer = self._client.client
        signer.resource_owner_key = g.flow.state
        signer.resource_owner_secret = g.flow.request_token_secret
        signer.verifier = verifier
        return {"oauth_verifier": verifier}

    def fetch_access_token(self, *_args: Any, **_kwargs: Any) -> dict[str, str]:
        """Exchange the request token (RFC 5849 2.3) and read the profile. Leaves the Grant in
        ``g.grant``. Raises ProviderError."""
        blueprint = self.blueprint
        answer = blueprint.ask("token", self)
        signer = self._client.client
        signer.resource_owner_key = answer["oauth_token"]
        signer.resource_owner_secret = answer["oauth_token_secret"]
        signer.verifier = None
        profile = blueprint.provider.profile(lambda url: read_json(self.get(url)))
        if answer.get("user_id", profile.subject) != profile.subject:
            raise ProviderError("the profile is of another person than the access token")
        g.assertion = Assertion(
            provider=blueprint.name,
            issuer=blueprint.identity_issuer,
            profile=profile,
            token={name: value for name, value in answer.items() if name in KEPT},
        )
        return answer

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:
        """Fetch as the person, from the provider's API only; no redirect is followed."""
        if not self._client.client.resource_owner_key:
            self.load_token()
        url = urljoin(self.blueprint.api_url, url)
        if not self.blueprint.owns(url):
            raise ValueError(f"{urlsplit(url).netloc} is not {self.blueprint.name}'s API")
        kwargs["allow_redirects"] = False
        return requests.Session.request(self, method, url, *args, **kwargs)


class OAuth1LoginBlueprint(LoginBlueprint, OAuth1ConsumerBlueprint):
    """A provider of OAuth 1.0a."""

    has_opening = True
    single_parameters = ("oauth_token", "oauth_verifier", "denied")

    def __init__(
        self,
        provider: Provider,
        registration: Registration,
        *,
        public_url: str,
        gate: Gate,
        tokens: TokenStore,
        transport: Transport,
    ) -> None:
        OAuth1ConsumerBlueprint.__init__(
            self,
            provider.name,
            __name__,
            url_prefix="/login",
            session_class=ProviderSession,
            storage=Storage(tokens),
            rule_kwargs={"methods": ["GET"]},
        )
        self.set_up(provider, registration, public_url=public_url, gate=gate, transport=transport)
        self.client_secret = registration.secret

    def new_session(self) -> ProviderSession:
        return ProviderSession(
            self, client_key=self.client_id, client_secret=self.registration.secret
        )

    def opening(self) -> RequestToken:
        """A request token (RFC 5849 2.1). Raises Misconfigured when our key is refused."""
        session = self.new_session()
        session._client.client.callback_uri = self.redirect_uri  # noqa: SLF001
        answer = self.ask("request_token", session)
        if answer.get("oauth_callback_confirmed") != "true":
            raise ProviderError("the provider did not confirm our callback")
        return RequestToken(answer["oauth_token"], answer["oauth_token_secret"])

    def authorization_address(self, flow: Flow) -> str:
        """Where the person is asked (RFC 5849 2.2), with this flow's request token."""
        parameters = {
            **self.provider.authorize_params,
            **self.provider.intent_params.get(flow.intent, {}),
            "oauth_token": flow.state,
        }
        return f"{self.endpoint_url('authorization')}?{urlencode(parameters)}"

    def ask(self, name: str, session: ProviderSession) -> dict[str, str]:
        """The form that a token endpoint answers a signed POST with. Raises ProviderError."""
        prepared = prepare("POST", self.endpoint_url(name))
        response = self.transport.send(session.auth(prepared))
        where = f"the {name} endpoint answered {response.status_code}"
        if response.status_code in (400, 401, 403):
            raise Misconfigured(where) if name == "request_token" else CodeRefused(where)
        if response.status_code != 200:
            raise ProviderError(where)
        answer = dict(parse_qsl(response.content.decode("utf-8", "replace")))
        token, secret = answer.get("oauth_token", ""), answer.get("oauth_token_secret", "")
        if not secret or not 0 < len(token) <= TOKEN_MAX_CHARACTERS or not token.isascii():
            raise ProviderError(f"{where} without a token")
        return answer

    def finish(self) -> Response:
        denied = request.args.get("denied")
        g.flow = self.gate.claim(self.name, denied or request.args.get("oauth_token"))
        if denied:
            raise Cancelled("the callback says denied")
        return cast(Response, OAuth1ConsumerBlueprint.authorized(self))

    def check(self) -> None:
        self.opening()
        raise CodeRefused("a request token was given")
