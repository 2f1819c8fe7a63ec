"""The door to Flask-Dance for OAuth 1.0a: the twin of ``flask_dance``."""

from typing import Any, cast

import requests
from flask import request
from flask_dance.consumer import OAuth1ConsumerBlueprint
from flask_dance.consumer.requests import OAuth1Session
from werkzeug.wrappers import Response

from errors import Cancelled, ProviderError
from providers.base import Flow
from providers.http.sessions import OwnTransport
from providers.protocols.flask_dance import LoginBlueprint
from providers.protocols.gate import Gate, TokenStore, sign_in_progress
from providers.protocols.oauth1 import TOKEN_MAX_CHARACTERS, OAuth1Client


class ProviderSession(OwnTransport, OAuth1Session):
    """One person's session with one provider, within one request; every call is signed."""

    def __init__(self, blueprint: "OAuth1LoginBlueprint") -> None:
        connector = self.connector = blueprint.connector
        secret = connector.client_secret
        super().__init__(blueprint=blueprint, client_key=connector.client_id, client_secret=secret)
        self.use(connector.http)

    def parse_authorization_response(self, _url: str) -> dict[str, str]:
        """Read the callback's verifier (RFC 5849 2.3)."""
        verifier = request.args.get("oauth_verifier", "")
        if not verifier or len(verifier) > TOKEN_MAX_CHARACTERS:
            raise ProviderError("the callback holds no verifier")
        return {"oauth_verifier": verifier}

    def fetch_access_token(self, *_args: Any, **_kwargs: Any) -> dict[str, str]:
        """Exchange the request token, and note the assertion.

        Raises ProviderError.
        """
        progress = sign_in_progress()
        flow, verifier = cast(Flow, progress.flow), request.args["oauth_verifier"]
        answer = self.connector.exchange(verifier, flow)
        progress.assertion = self.connector.read_assertion(answer)
        self.token = answer
        return answer

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:
        """Fetch on behalf of the person, from the provider's API only; no redirect is followed."""
        self.load_token()
        kwargs["allow_redirects"] = False
        url = self.connector.own_url(url)
        return requests.Session.request(self, method, url, *args, **kwargs)


class OAuth1LoginBlueprint(LoginBlueprint, OAuth1ConsumerBlueprint):
    """The routes of an OAuth 1.0a connector."""

    connector: OAuth1Client

    def __init__(self, connector: OAuth1Client, gate: Gate, tokens: TokenStore) -> None:
        self.wire(OAuth1ConsumerBlueprint, ProviderSession, connector, gate, tokens)

    def finish(self) -> Response:
        denied = request.args.get("denied")
        state = denied or request.args.get("oauth_token")
        sign_in_progress().flow = self.gate.claim(self.name, state)
        if denied:
            raise Cancelled("the callback says denied")
        return cast(Response, OAuth1ConsumerBlueprint.authorized(self))
