"""What our login blueprints share: routes, gate, tokens, and one provider session per request.

With oauth1.py and oauth2.py the only door to Flask-Dance and oauthlib. Stock Flask-Dance keeps
one provider session, one token and one set of PKCE parameters per *process*; here each belongs
to one request, and each attempt has a flow of its own (docs/decisions/0001-flask-dance.md).
"""

from collections.abc import Mapping
from typing import Any, Protocol, cast

import requests
from flask import Blueprint, g, redirect, request
from flask_dance.consumer import oauth_authorized, oauth_before_login, oauth_error
from flask_dance.consumer.storage import BaseStorage
from werkzeug.wrappers import Response

from config.registrations import Registration
from errors import Cancelled, Misconfigured, ProviderError, StateMismatch
from providers.base import Flow, Provider, RequestToken, origin
from providers.http.responses import HTTPAnswer
from providers.http.transport import HEADERS, Transport
from providers.protocols.openid_connect import UpstreamIssuer

__all__ = ["LoginBlueprint", "oauth_authorized", "oauth_error"]

# The error codes that mean our settings: RFC 6749 4.1.2.1 and 5.2.
MISCONFIGURED_ERRORS = frozenset(
    {
        "invalid_client",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_response_type",
        "invalid_scope",
        "redirect_uri_mismatch",
    }
)
# … and those that mean that the person said no.
CANCELLED_ERRORS = frozenset({"access_denied", "user_denied"})


class Gate(Protocol):
    """What a blueprint asks of the application: flows that it begins and claims."""

    def begin(self, provider: str) -> Flow:
        """A new attempt to sign in, from the current request. Raises SignInError."""

    def claim(self, provider: str, state: str | None) -> Flow:
        """The attempt of that state, now used up. Raises SignInError."""

    def pack(self, state: str, value: Mapping[str, object]) -> str:
        """Something to carry through a redirect of the callback, sealed."""

    def unpack(self, state: str, text: str) -> Mapping[str, object]:
        """What ``pack`` made for that state; empty for anything else."""


class TokenStore(Protocol):
    """Where provider tokens live; speaks of the signed-in person and raises for nobody."""

    def get(self, provider: str) -> dict[str, Any] | None: ...
    def set(self, provider: str, token: Mapping[str, Any]) -> None: ...
    def delete(self, provider: str) -> None: ...


class Storage(BaseStorage):
    """Flask-Dance's storage interface, by the provider's name."""

    def __init__(self, store: TokenStore) -> None:
        self._store = store

    def get(self, blueprint: "LoginBlueprint") -> dict[str, Any] | None:
        return self._store.get(blueprint.name)

    def set(self, blueprint: "LoginBlueprint", token: Mapping[str, Any]) -> None:
        self._store.set(blueprint.name, token)

    def delete(self, blueprint: "LoginBlueprint") -> None:
        self._store.delete(blueprint.name)


class _PerRequest:
    """The attribute ``session``: one provider session per blueprint and request.

    Flask-Dance caches it on the blueprint, which all threads share (FLASK-DANCE issue 163).
    """

    def __get__(self, blueprint: Any, _owner: type | None = None) -> Any:
        if blueprint is None:
            return self
        sessions = g.setdefault("provider_sessions", {})
        if blueprint.name not in sessions:
            sessions[blueprint.name] = blueprint.new_session()
        return sessions[blueprint.name]

    def __set__(self, blueprint: Any, value: Any) -> None:
        g.setdefault("provider_sessions", {})[blueprint.name] = value

    def __delete__(self, blueprint: Any) -> None:
        del g.setdefault("provider_sessions", {})[blueprint.name]


class Conversation:
    """What a provider session of either protocol keeps to; mixed with Flask-Dance's sessions."""

    def keep_to(self, transport: Transport) -> None:
        """Go by our connections only, whatever the environment says, under our name."""
        session = cast(requests.Session, self)
        session.trust_env = False
        session.mount("https://", transport)
        session.mount("http://", transport)
        session.headers.update(HEADERS)

    def get_redirect_target(self, _response: requests.Response) -> None:
        """None: requests would parse, and stumble over, even a target that is not followed."""


class LoginBlueprint(Blueprint):
    """One provider's routes: ``/login/<name>`` and its callback ``…/authorized``.

    The part of them that does not depend on the protocol; oauth1.py and oauth2.py mix it with
    Flask-Dance's blueprints.
    """

    session = _PerRequest()
    # Flask-Dance has a property here that reaches through the session.
    client_id = ""
    single_parameters: tuple[str, ...] = ()
    client_secret: str
    # Whether the provider is asked something before a flow begins (``opening``).
    has_opening = False
    # Of a provider of OpenID Connect.
    issuer: UpstreamIssuer | None = None

    def set_up(
        self,
        provider: Provider,
        registration: Registration,
        *,
        public_url: str,
        gate: Gate,
        transport: Transport,
    ) -> None:
        """Take on what a provider is and how this site is registered there."""
        self.provider = provider
        self.registration = registration
        self.transport = transport
        self.gate = gate
        self.redirect_uri = f"{public_url}/login/{provider.name}/authorized"
        self.client_id = registration.client_id
        self.scope = registration.scope or provider.scope
        if registration.offline_access and provider.offline_scope not in self.scope.split():
            self.scope = f"{self.scope} {provider.offline_scope}".strip()
        version = registration.api_version or provider.api_version
        self.api_url = (registration.api_url or provider.api_url).replace("{version}", version)
        endpoints = {
            "authorization": registration.authorization_url or provider.authorization_endpoint,
            "token": registration.token_url or provider.token_endpoint,
            "request_token": registration.request_token_url or provider.request_token_endpoint,
        }
        self._endpoints = {
            name: url.replace("{version}", version) for name, url in endpoints.items()
        }

    @property
    def label(self) -> str:
        return self.provider.label

    @property
    def identity_issuer(self) -> str:
        """What keeps this server's subjects apart from another server's of the same name."""
        return origin(self.api_url)

    @property
    def form_origins(self) -> tuple[str, ...]:
        """Where a form that starts a flow may be redirected, for the page's form-action."""
        return (origin(self._endpoints["authorization"]), *self.provider.also_passes)

    def endpoint_url(self, name: str) -> str:
        """The address of an endpoint. Raises ProviderError."""
        return self._endpoints[name]

    def owns(self, url: str) -> bool:
        """Whether an access token may be sent to this address."""
        return origin(url) == origin(self.api_url)

    def new_session(self) -> Any:
        """A conversation with the provider; its ``token`` may be set."""
        raise NotImplementedError

    def ask_for_token(self, _body: Mapping[str, str]) -> dict[str, Any]:
        """The token endpoint's answer to a grant. Raises ProviderError."""
        raise ProviderError("this protocol renews no token")

    def post_as_client(self, _url: str, _form: Mapping[str, str]) -> HTTPAnswer:
        """Send a form as the client that we are. Raises ProviderError."""
        raise ProviderError("this protocol knows no such call")

    def opening(self) -> RequestToken | None:
        """What must be fetched from the provider before a flow begins. Raises ProviderError."""
        return None

    def authorization_address(self, flow: Flow) -> str:
        """Where the person is asked. Raises ProviderError when it must be read and cannot be."""
        raise NotImplementedError

    def warm_up(self) -> bool:
        """Have connections ready for the callback, which will not have to wait for them; whether
        there were none. Raises ProviderError."""
        return False

    def before_app_request(self, verb: Any) -> Any:
        """Nothing: Flask-Dance hangs hooks of every provider on every request of the app, to
        read settings that ours have, and to forget a session that lives in ``g``."""
        return verb

    def teardown_app_request(self, verb: Any) -> Any:
        return verb

    def check(self) -> None:
        """Ask the provider for something that it must refuse, and for which reason it says.

        Raises CodeRefused when all is well, Misconfigured or another ProviderError otherwise.
        """
        raise NotImplementedError

    # Views.

    def login(self) -> Response:
        """GET /login/<provider>."""
        if request.method == "HEAD":  # link checkers must not begin flows
            return Response()
        return self.redirect_to_provider(self.gate.begin(self.name))

    def redirect_to_provider(self, flow: Flow) -> Response:
        """Send the browser off on an attempt, from whichever view. Raises ProviderError when
        metadata are needed and cannot be read.

        In the place of Flask-Dance's ``login``, which works from its own route only and puts
        state and verifier where all requests share them.
        """
        g.flow = flow
        url = self.authorization_address(flow)
        self.warm_up()
        oauth_before_login.send(self, url=url)
        return redirect(url)

    def authorized(self) -> Response:
        """GET /login/<provider>/authorized. Raises SignInError for every way to fail."""
        if request.method == "HEAD":  # nor use them up
            return Response()
        if any(len(request.args.getlist(name)) > 1 for name in self.single_parameters):
            raise StateMismatch("a callback parameter came twice")
        return self.finish()

    def finish(self) -> Response:
        """Claim the flow of a callback and have Flask-Dance exchange what it brought."""
        raise NotImplementedError

    def callback_error(self, error: str) -> Cancelled | ProviderError:
        """The exception for an error that came to the callback (RFC 6749 4.1.2.1)."""
        detail = f"the callback says {plain_code(error)}"
        if error in CANCELLED_ERRORS | self.provider.cancelled_errors:
            return Cancelled(detail)
        if error in MISCONFIGURED_ERRORS | self.provider.misconfigured_errors:
            return Misconfigured(detail)
        return ProviderError(detail)


def plain_code(text: str) -> str:
    """A provider's error code as it may stand in a log: short and plain."""
    return "".join(c for c in text[:60] if c.isascii() and (c.isalnum() or c in "_-. ")) or "?"
