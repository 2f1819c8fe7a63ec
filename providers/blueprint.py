"""Our login blueprint: Flask-Dance's views and signals on a session that is safe under threads.

The only file that imports flask_dance or oauthlib. Stock Flask-Dance keeps one provider
session, one token and one set of PKCE parameters per *process*; here each belongs to one
request, and each attempt has a flow of its own (docs/decisions/0001-flask-dance.md).
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any, Protocol, cast
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit

import requests
from flask import g, redirect, request
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

from config import ClientSettings
from errors import Cancelled, CodeRefused, Misconfigured, ProviderError, StateMismatch
from providers.base import Attempt, Get, Grant, Provider, origin
from providers.jwt import VerifiedClaims
from providers.openid_connect import Issuer, check_userinfo
from providers.transport import HEADERS, Transport, parse_json, prepare, read_json

__all__ = ["LoginBlueprint", "oauth_authorized", "oauth_error"]

# RFC 6749 A.12, bounded.
ACCESS_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
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
CODE_REFUSED_ERRORS = frozenset({"invalid_grant"})
# Callback parameters that must not come twice (RFC 6749 3.1).
SINGLE_PARAMETERS = ("state", "code", "error", "iss")
# RFC 6749 3.3, bounded: what a provider says it granted is kept, and shown.
SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,255}")
# Parts of a token response that are not a token to keep.
NOT_KEPT = frozenset({"id_token", "scope"})


class Gate(Protocol):
    """What a blueprint asks of the application: flows that it begins and claims."""

    def begin(self, provider: str) -> Attempt:
        """A new attempt to sign in, from the current request."""

    def claim(self, provider: str, state: str | None) -> Attempt:
        """The attempt of that state, now used up. Raises SignInError."""


class TokenStore(Protocol):
    """Where provider tokens live; speaks of the signed-in person and raises for nobody."""

    def get(self, provider: str) -> dict[str, Any] | None: ...
    def set(self, provider: str, token: Mapping[str, Any]) -> None: ...
    def delete(self, provider: str) -> None: ...


class _Storage(BaseStorage):
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


class ProviderSession(OAuth2Session):
    """One person's conversation with one provider, within one request.

    ``session.get("user")`` fetches as that person: with the token this flow was given, else
    with the one in the store. Raises ProviderError; follows no redirect.
    """

    def __init__(self, blueprint: "LoginBlueprint", **kwargs: Any) -> None:
        super().__init__(blueprint=blueprint, **kwargs)
        self.trust_env = False
        self.mount("https://", blueprint.transport)
        self.mount("http://", blueprint.transport)
        self.headers.update(HEADERS)

    @property
    def redirect_uri(self) -> str:
        """Always from the configured public URL; the request's Host header has no say."""
        return cast("LoginBlueprint", self.blueprint).redirect_uri

    @redirect_uri.setter
    def redirect_uri(self, value: object) -> None:
        pass

    def authorization_url(self, *_args: Any, **_kwargs: Any) -> tuple[str, str]:
        """The authorization request (RFC 6749 4.1.1) of this request's flow, and its state."""
        blueprint, attempt = cast("LoginBlueprint", self.blueprint), cast(Attempt, g.attempt)
        endpoint = blueprint.endpoint("authorization")
        separator = "&" if urlsplit(endpoint).query else "?"
        # %20 and not +: some providers read the query as RFC 3986 does.
        query = urlencode(blueprint.authorization_parameters(attempt), quote_via=quote)
        return f"{endpoint}{separator}{query}", attempt.state

    def fetch_token(self, *_args: Any, **_kwargs: Any) -> dict[str, Any]:
        """Exchange the callback's code (RFC 6749 4.1.3), check what comes, read the profile.

        Leaves the Grant in ``g.grant``. Raises ProviderError or Misconfigured.
        """
        blueprint, attempt = cast("LoginBlueprint", self.blueprint), cast(Attempt, g.attempt)
        code = request.args.get("code")
        if not code:
            raise ProviderError("the callback holds neither a code nor an error")
        answer = blueprint.exchange(code, attempt.code_verifier)
        claims = blueprint.check_id_token(answer, attempt.nonce)
        self.token = answer
        profile = blueprint.provider.profile(self._reader(claims))
        g.grant = Grant(
            provider=blueprint.name,
            issuer=blueprint.identity_issuer,
            profile=profile,
            scopes=blueprint.granted_scopes(answer),
            token={name: value for name, value in answer.items() if name not in NOT_KEPT},
        )
        return answer

    def _reader(self, claims: VerifiedClaims | None) -> Get:
        """The ``get`` that a provider's profile function is given."""

        def get(url: str) -> Any:
            if claims is not None and url == "id_token":
                return claims
            if claims is not None and url == "userinfo":
                endpoint = cast("LoginBlueprint", self.blueprint).endpoint("userinfo")
                return check_userinfo(read_json(self.get(endpoint)), claims["sub"])
            return read_json(self.get(url))

        return get

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:
        """Fetch as the person, from the provider's API only; the token goes nowhere else."""
        blueprint = cast("LoginBlueprint", self.blueprint)
        token = self.token or {}
        url = urljoin(blueprint.api_url, url)
        if not blueprint.owns(url):
            raise ValueError(f"{urlsplit(url).netloc} is not {blueprint.name}'s API")
        access_token = str(token.get("access_token", ""))
        params = {**(kwargs.pop("params", None) or {})}
        if access_token:
            headers = {**(kwargs.pop("headers", None) or {})}
            kwargs["headers"] = {**headers, "Authorization": f"Bearer {access_token}"}
            params |= blueprint.provider.proof(blueprint.client_secret, access_token)
        kwargs |= {"params": params, "allow_redirects": False}
        return requests.Session.request(self, method, url, *args, **kwargs)

    def get_redirect_target(self, _response: requests.Response) -> None:
        """None: requests would parse, and stumble over, even a target that is not followed."""


class LoginBlueprint(OAuth2ConsumerBlueprint):
    """One provider's two routes: ``/login/<name>`` and its callback ``…/authorized``."""

    session = _PerRequest()
    # Flask-Dance has a property here that reaches through the session.
    client_id = ""

    def __init__(
        self,
        provider: Provider,
        client: ClientSettings,
        *,
        public_url: str,
        gate: Gate,
        tokens: TokenStore,
        transport: Transport,
    ) -> None:
        super().__init__(
            provider.name,
            __name__,
            url_prefix="/login",
            session_class=ProviderSession,
            storage=_Storage(tokens),
            rule_kwargs={"methods": ["GET"]},
        )
        self.provider = provider
        self.transport = transport
        self.redirect_uri = f"{public_url}/login/{provider.name}/authorized"
        self.client_id = client.client_id
        self.client_secret = client.client_secret.get_secret_value()
        self.scope = client.scope or provider.scope
        self._gate = gate
        self._client = client
        version = client.api_version or provider.api_version
        self.api_url = (client.api_url or provider.api_url).replace("{version}", version)
        self._endpoints = {
            "authorization": client.authorization_url or provider.authorization_endpoint,
            "token": client.token_url or provider.token_endpoint,
        }
        self._endpoints = {
            name: url.replace("{version}", version) for name, url in self._endpoints.items()
        }
        self.issuer: Issuer | None = None
        if provider.issuer:
            url = client.issuer or provider.issuer
            aliases = () if client.issuer else provider.issuer_aliases
            self.issuer = Issuer(url, transport.get_json, aliases)

    @property
    def label(self) -> str:
        return self.provider.label

    @property
    def identity_issuer(self) -> str:
        """What keeps this server's subjects apart from another server's of the same name."""
        return self.issuer.url if self.issuer else origin(self.api_url)

    @property
    def form_origins(self) -> tuple[str, ...]:
        """Where a form that starts a flow may be redirected, for the page's form-action."""
        first = self.issuer.url if self.issuer else self._endpoints["authorization"]
        return (origin(first), *self.provider.also_passes)

    def new_session(self) -> ProviderSession:
        return ProviderSession(self, client_id=self.client_id, scope=self.scope)

    def endpoint(self, name: str) -> str:
        """``authorization``, ``token`` or ``userinfo``. Raises ProviderError."""
        if self.issuer is None:
            return self._endpoints[name]
        url = getattr(self.issuer.metadata(), f"{name}_endpoint")
        if not url:
            raise ProviderError(f"the issuer has no {name} endpoint")
        return str(url)

    def owns(self, url: str) -> bool:
        """Whether an access token may be sent to this address."""
        if self.issuer is None:
            return origin(url) == origin(self.api_url)
        return url == self.issuer.metadata().userinfo_endpoint

    # Views.

    def login(self) -> Response:
        """GET /login/<provider>."""
        if request.method == "HEAD":  # link checkers must not begin flows
            return Response()
        return self.redirect_to_provider(self._gate.begin(self.name))

    def redirect_to_provider(self, attempt: Attempt) -> Response:
        """Send the browser off on an attempt, from whichever view. Raises ProviderError when
        metadata are needed and cannot be read.

        In the place of Flask-Dance's ``login``, which works from its own route only and puts
        state and verifier where all requests share them.
        """
        g.attempt = attempt
        url, _state = self.session.authorization_url()
        oauth_before_login.send(self, url=url)
        return redirect(url)

    def authorized(self) -> Response:
        """GET /login/<provider>/authorized. Raises SignInError for every way to fail."""
        if request.method == "HEAD":  # nor use them up
            return Response()
        if any(len(request.args.getlist(name)) > 1 for name in SINGLE_PARAMETERS):
            raise StateMismatch("a callback parameter came twice")
        g.attempt = self._gate.claim(self.name, request.args.get("state"))
        self._check_iss_parameter()
        if "error_code" in request.args and "error" not in request.args:
            # Facebook's other form of error, which Flask-Dance takes for a success.
            raise self.callback_error(request.args["error_code"])
        # Flask-Dance checks a slot of its own, of which there is one per provider.
        slot = f"{self.name}_oauth_state"
        browser_cookie[slot] = g.attempt.state
        try:
            response: Response = super().authorized()
            return response
        finally:
            browser_cookie.pop(slot, None)

    def _check_iss_parameter(self) -> None:
        """RFC 9207 2.4: the answer must come from the issuer that was asked."""
        if self.issuer is None:
            return
        iss = request.args.get("iss")
        # An error without iss is let by: there is no code in it that could be mixed up.
        if iss is None and "code" in request.args and self.issuer.metadata().sends_iss:
            raise StateMismatch("the callback lacks the iss that this issuer announces")
        if iss is not None and iss not in self.issuer.accepted:
            raise StateMismatch("the callback's iss is another issuer")

    # The protocol, for the session above.

    def authorization_parameters(self, attempt: Attempt) -> dict[str, str]:
        """From configuration and flow only: no parameter of the request gets through."""
        scope = self.provider.scope_separator.join(self.scope.replace(",", " ").split())
        parameters = {
            **self.provider.authorize_params,
            **self.provider.intent_params.get(attempt.intent, {}),
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": scope,
            "state": attempt.state,
        }
        if self.provider.pkce:
            parameters["code_challenge"] = s256(attempt.code_verifier)
            parameters["code_challenge_method"] = "S256"
        if self.issuer:
            parameters["nonce"] = attempt.nonce
        return parameters

    def exchange(self, code: str, code_verifier: str) -> dict[str, Any]:
        """The token endpoint's answer to a code (RFC 6749 5.1).

        Raises Misconfigured when it refuses our settings, else ProviderError.
        """
        body = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        if self.provider.pkce:
            body["code_verifier"] = code_verifier
        prepared = prepare("POST", self.endpoint("token"), body)
        return self._read_token_response(self.transport.send(prepared))

    def _read_token_response(self, response: requests.Response) -> dict[str, Any]:
        where = f"the token endpoint answered {response.status_code}"
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind == "application/x-www-form-urlencoded":
            answer: Any = dict(parse_qsl(response.content.decode("utf-8", "replace")))
        else:
            answer = parse_json(response.content, where)
        if not isinstance(answer, dict):
            raise ProviderError(f"{where} with something that is not an object")
        # Some send their errors as 200.
        if answer.get("error"):
            raise self._token_error(answer["error"], where)
        if response.status_code != 200:
            raise ProviderError(where)
        access_token = answer.get("access_token")
        if not isinstance(access_token, str) or not ACCESS_TOKEN.fullmatch(access_token):
            raise ProviderError(f"{where} without an access token that a header can carry")
        kind = answer.get("token_type", "bearer")
        if not isinstance(kind, str) or kind.lower() != "bearer":
            raise ProviderError(f"{where} with a token type other than bearer")
        return answer

    def _token_error(self, error: object, where: str) -> ProviderError:
        code = str(error.get("code")) if isinstance(error, dict) else str(error)
        detail = f"{where} with error {_code(code)}"
        if code in MISCONFIGURED_ERRORS | self.provider.misconfigured_errors:
            return Misconfigured(detail)
        if code in CODE_REFUSED_ERRORS | self.provider.code_refused_errors:
            return CodeRefused(detail)
        return ProviderError(detail)

    def callback_error(self, error: str) -> Cancelled | ProviderError:
        """The exception for an error that came to the callback (RFC 6749 4.1.2.1)."""
        detail = f"the callback says {_code(error)}"
        if error in ("access_denied", "user_denied"):
            return Cancelled(detail)
        if error in MISCONFIGURED_ERRORS | self.provider.misconfigured_errors:
            return Misconfigured(detail)
        return ProviderError(detail)

    def check_id_token(self, answer: Mapping[str, Any], nonce: str) -> VerifiedClaims | None:
        """Raises ProviderError unless an OpenID Connect answer holds a good id_token."""
        if self.issuer is None:
            return None
        return self.issuer.check_id_token(
            answer.get("id_token"),
            client_id=self.client_id,
            nonce=nonce,
            access_token=answer["access_token"],
        )

    def granted_scopes(self, answer: Mapping[str, Any]) -> tuple[str, ...]:
        """What was granted, under the names that were asked for; all of it where none is said."""
        said = answer.get("scope")
        text = said if isinstance(said, str) and said.strip() else self.scope
        names = [name for name in text.replace(",", " ").split() if SCOPE.fullmatch(name)]
        return tuple(sorted({self.provider.scope_aliases.get(name, name) for name in names}))


def s256(code_verifier: str) -> str:
    """RFC 7636 4.2."""
    digest = hashlib.sha256(code_verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _code(text: str) -> str:
    """A provider's error code as it may stand in a log: short and plain."""
    return "".join(c for c in text[:60] if c.isascii() and (c.isalnum() or c in "_-. ")) or "?"
