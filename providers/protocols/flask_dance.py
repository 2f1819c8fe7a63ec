"""The door to Flask-Dance: a login blueprint for each OAuth 2.0 connector.

Stock Flask-Dance keeps one provider session, one token and one set of PKCE parameters per
*process*. Here each belongs to one request, and each flow is a record of its own
(docs/decisions/0001-flask-dance.md). The OAuth 1.0a twin is ``flask_dance_oauth1``.
"""

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode

import requests
from flask import Blueprint, current_app, redirect, request, url_for
from flask import session as browser_cookie
from flask_dance.consumer import (
    OAuth2ConsumerBlueprint,
    oauth_authorized,
    oauth_before_login,
    oauth_error,
)
from flask_dance.consumer.requests import OAuth2Session
from flask_dance.consumer.storage import BaseStorage
from werkzeug.wrappers import Response

from errors import ProviderError, StateMismatch
from providers.base import Flow
from providers.http.sessions import OwnTransport
from providers.protocols.connector import Connector
from providers.protocols.form_post import address_in, read_form_post, with_kept_name
from providers.protocols.gate import Gate, PerRequestSession, TokenStore, sign_in_progress
from providers.protocols.oauth2 import OAuth2Client

__all__ = ["connector_of", "oauth_authorized", "oauth_error", "visit_provider"]


class Storage(BaseStorage):
    """Flask-Dance's storage interface, by the provider's name."""

    def __init__(self, store: TokenStore) -> None:
        self._store = store

    def get(self, blueprint: Blueprint) -> dict[str, Any] | None:
        return self._store.get(blueprint.name)

    def set(self, blueprint: Blueprint, token: Mapping[str, Any]) -> None:
        self._store.set(blueprint.name, token)

    def delete(self, blueprint: Blueprint) -> None:
        self._store.delete(blueprint.name)


class LoginBlueprint(Blueprint):
    """One connector's routes: ``/login/<name>`` and its callback ``…/authorized``.

    The parts that do not depend on the protocol, mixed into Flask-Dance's blueprints.
    """

    session = PerRequestSession()
    # Flask-Dance has a property here that uses the session.
    client_id = ""
    session_class: type
    connector: Connector
    gate: Gate

    def wire(
        self, consumer: Any, session_class: type, connector: Any, gate: Gate, tokens: TokenStore
    ) -> None:
        """Initialize the ``consumer`` among our bases, a blueprint of Flask-Dance."""
        consumer.__init__(
            self,
            connector.name,
            __name__,
            url_prefix="/login",
            session_class=session_class,
            storage=Storage(tokens),
            rule_kwargs={"methods": ["GET"]},
        )
        self.connector, self.gate, self.client_id = connector, gate, connector.client_id

    def new_session(self) -> Any:
        """Make a provider session; its ``token`` may be set."""
        return self.session_class(self)

    def before_app_request(self, verb: Any) -> Any:
        """Register nothing: Flask-Dance adds hooks of every provider to every request of the app,
        to read settings that ours already have, and to forget a session that lives in ``g``."""
        return verb

    def teardown_app_request(self, verb: Any) -> Any:
        return verb

    def login(self) -> Response:
        """Handle GET /login/<provider>."""
        if request.method == "HEAD":  # link checkers must not begin flows
            return Response()
        return redirect(visit_provider(self.connector, self.gate.begin(self.name)))

    def authorized(self) -> Response:
        """Handle GET /login/<provider>/authorized. Raises SignInError for every failure."""
        if request.method == "HEAD":  # or use them up
            return Response()
        once = self.connector.callback_parameters
        if any(len(request.args.getlist(name)) > 1 for name in once):
            raise StateMismatch("a callback parameter came twice")
        return self.finish()

    def finish(self) -> Response:
        """Claim the flow of a callback and let Flask-Dance exchange its code."""
        raise NotImplementedError


def visit_provider(connector: Connector, flow: Flow) -> str:
    """Return where a browser begins a flow at the provider, for any view. Raises ProviderError if
    metadata cannot be read.
    """
    sign_in_progress().flow = flow
    url = connector.authorization_url(flow)
    connector.warm_up()
    oauth_before_login.send(current_app.blueprints[connector.name], url=url)
    return url


def connector_of(blueprint: object) -> Connector | None:
    """Return the connector of a signal's sender; None for a blueprint that is not ours."""
    return blueprint.connector if isinstance(blueprint, LoginBlueprint) else None


class ProviderSession(OwnTransport, OAuth2Session):
    """One person's session with one provider, within one request.

    ``session.get("user")`` fetches on behalf of that person: with the token of this flow, otherwise
    with the one in the store. Raises ProviderError; follows no redirect.
    """

    def __init__(self, blueprint: "OAuth2LoginBlueprint") -> None:
        connector = self.connector = blueprint.connector
        super().__init__(blueprint=blueprint, client_id=connector.client_id, scope=connector.scope)
        self.use(connector.http)
        self.headers.update(connector.headers)

    @property
    def redirect_uri(self) -> str:
        """Build it from the configured public URL; the Host header has no influence."""
        return self.connector.redirect_uri

    @redirect_uri.setter
    def redirect_uri(self, value: object) -> None:
        pass

    def fetch_token(self, *_args: Any, **_kwargs: Any) -> dict[str, Any]:
        """Exchange the callback's code, verify the response, and note the assertion. Raises
        ProviderError, NotAllowed or NotFresh."""
        progress = sign_in_progress()
        flow, code = cast(Flow, progress.flow), request.args.get("code")
        if not code:
            raise ProviderError("the callback holds neither a code nor an error")
        gate, provider = self.blueprint.gate, self.connector.name
        form_user = gate.unpack(provider, flow.state, request.args.get("user", ""))
        answer = self.token = self.connector.exchange(code, flow)
        assertion = self.connector.read_assertion(answer, flow, form_user)
        progress.assertion = with_kept_name(assertion, gate.kept(provider))
        return answer

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:
        """Fetch from the provider's API only: the token goes nowhere else."""
        url = self.connector.own_url(url)
        headers, params = self.connector.credentials(self.token or {})
        kwargs["headers"] = {**(kwargs.get("headers") or {}), **headers}
        kwargs["params"] = {**(kwargs.get("params") or {}), **params}
        kwargs["allow_redirects"] = False
        return requests.Session.request(self, method, url, *args, **kwargs)


class OAuth2LoginBlueprint(LoginBlueprint, OAuth2ConsumerBlueprint):
    """The routes of an OAuth 2.0 or OpenID Connect connector."""

    connector: OAuth2Client

    def __init__(self, connector: OAuth2Client, gate: Gate, tokens: TokenStore) -> None:
        self.wire(OAuth2ConsumerBlueprint, ProviderSession, connector, gate, tokens)
        if connector.protocol.read_form_user:
            route = f"/{connector.name}/authorized"
            self.add_url_rule(route, "form_post", self.form_post, methods=["POST"])

    def finish(self) -> Response:
        flow = sign_in_progress().flow = self.gate.claim(self.name, request.args.get("state"))
        self.connector.check_callback(request.args)
        # Flask-Dance checks its own slot, of which there is one per provider.
        slot = f"{self.name}_oauth_state"
        browser_cookie[slot] = flow.state
        try:
            return cast(Response, OAuth2ConsumerBlueprint.authorized(self))
        finally:
            browser_cookie.pop(slot, None)

    def form_post(self) -> Response:
        """Handle POST …/authorized: continue with a GET, which carries the cookies."""
        form, read_user = read_form_post(request.form), self.connector.protocol.read_form_user
        if "user" in form and read_user:
            said = {**read_user(form["user"]), "address": address_in(form["user"])}
            form["user"] = self.gate.pack(form["state"], said)
        return redirect(f"{url_for(f'{self.name}.authorized')}?{urlencode(form)}", 303)
