"""Login blueprints for OAuth 2.0 (RFC 6749) and OpenID Connect providers."""

import base64
import functools
import hashlib
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import quote, urlencode, urljoin, urlsplit

import requests
from flask import g, redirect, request, url_for
from flask import session as browser_cookie
from flask_dance.consumer import OAuth2ConsumerBlueprint
from flask_dance.consumer.requests import OAuth2Session
from werkzeug.wrappers import Response

from config.registrations import Registration
from errors import ProviderError, StateMismatch
from keys.jwt import VerifiedClaims
from providers.base import Assertion, ClientAuth, Flow, Get, Provider
from providers.http.responses import HTTPAnswer, read_json
from providers.http.transport import HEADERS, Transport
from providers.protocols.blueprint import Conversation, Gate, LoginBlueprint, Storage, TokenStore
from providers.protocols.openid_connect import (
    UpstreamIssuer,
    check_fresh,
    check_hosted_domain,
    check_userinfo,
)
from providers.protocols.token_endpoint import basic, read_token_response

# RFC 6749 3.3, bounded: what a provider says it granted is kept, and shown.
SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,255}")
# Parts of a token response that are not a token to keep.
NOT_KEPT = frozenset({"id_token", "scope"})
# What a form_post callback (OAuth 2.0 Form Post Response Mode) passes on to the callback by GET.
FORM_POST_PARAMETERS = ("state", "code", "error", "iss")
FORM_FIELD_MAX_CHARACTERS = 4096
# A client secret that is made lives an hour, and is made anew well before.
MADE_SECRET_SECONDS = 3000


def query_of(parameters: Mapping[str, str]) -> str:
    """With %20 and not +: some providers read a query as RFC 3986 does."""
    return urlencode(parameters, quote_via=quote)


class ProviderSession(Conversation, OAuth2Session):
    """One person's conversation with one provider, within one request.

    ``session.get("user")`` fetches as that person: with the token this flow was given, else
    with the one in the store. Raises ProviderError; follows no redirect.
    """

    blueprint: "OAuth2LoginBlueprint"

    def __init__(self, blueprint: "OAuth2LoginBlueprint", **kwargs: Any) -> None:
        super().__init__(blueprint=blueprint, **kwargs)
        self.keep_to(blueprint.transport)
        self.headers.update(blueprint.api_headers)

    @property
    def redirect_uri(self) -> str:
        """Always from the configured public URL; the request's Host header has no say."""
        return self.blueprint.redirect_uri

    @redirect_uri.setter
    def redirect_uri(self, value: object) -> None:
        pass

    def fetch_token(self, *_args: Any, **_kwargs: Any) -> dict[str, Any]:
        """Exchange the callback's code (RFC 6749 4.1.3), check what comes, read the profile.

        Leaves the Grant in ``g.grant``. Raises a ProviderError, NotAllowed or NotFresh.
        """
        blueprint, flow = self.blueprint, cast(Flow, g.flow)
        code = request.args.get("code")
        if not code:
            raise ProviderError("the callback holds neither a code nor an error")
        answer = blueprint.exchange(code, flow.code_verifier, flow.state)
        claims = blueprint.check_id_token(answer, flow.nonce)
        if claims is not None and flow.intent == "reauth":
            params = blueprint.provider.intent_params.get("reauth", {})
            check_fresh(claims, required="max_age" in params)
        self.token = answer
        profile = blueprint.provider.profile(self._reader(claims))
        g.assertion = Assertion(
            provider=blueprint.name,
            issuer=blueprint.identity_issuer,
            profile=profile,
            scopes=blueprint.granted_scopes(answer),
            token=blueprint.token_to_keep(answer, claims, profile.subject),
        )
        return answer

    def _reader(self, claims: VerifiedClaims | None) -> Get:
        """The ``get`` that a provider's profile function is given."""
        blueprint, token = self.blueprint, self.token
        begun: dict[str, Callable[[], Any]] = {}

        def get(url: str) -> Any:
            if claims is not None and url == "id_token":
                return claims
            if claims is not None and url == "userinfo":
                endpoint = blueprint.endpoint_url("userinfo")
                return check_userinfo(blueprint.read(endpoint, token), claims["sub"])
            if url == "form_user":
                return blueprint.form_user()
            if url == "token":
                return token
            if not begun:
                for other in blueprint.provider.reads:
                    if other != url:
                        read = functools.partial(blueprint.read, other, token)
                        begun[other] = blueprint.transport.beside(read)
            return begun[url]() if url in begun else blueprint.read(url, token)

        return get

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:
        """Fetch as the person, from the provider's API only; the token goes nowhere else."""
        url = self.blueprint.own_url(url)
        headers, params = self.blueprint.credentials(self.token or {})
        kwargs["headers"] = {**(kwargs.get("headers") or {}), **headers}
        kwargs["params"] = {**(kwargs.get("params") or {}), **params}
        kwargs["allow_redirects"] = False
        return requests.Session.request(self, method, url, *args, **kwargs)


class OAuth2LoginBlueprint(LoginBlueprint, OAuth2ConsumerBlueprint):
    """A provider of OAuth 2.0; with an issuer, of OpenID Connect."""

    single_parameters = ("state", "code", "error", "iss")  # RFC 6749 3.1

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
        OAuth2ConsumerBlueprint.__init__(
            self,
            provider.name,
            __name__,
            url_prefix="/login",
            session_class=ProviderSession,
            storage=Storage(tokens),
            rule_kwargs={"methods": ["GET"]},
        )
        self.set_up(provider, registration, public_url=public_url, gate=gate, transport=transport)
        if provider.issuer:
            url = registration.issuer or provider.issuer
            aliases = () if registration.issuer else provider.issuer_aliases
            self.issuer = UpstreamIssuer(url, transport.get_json, aliases, provider.any_tenant)
        if provider.read_form_user:
            route = f"/{provider.name}/authorized"
            self.add_url_rule(route, "form_post", self.form_post, methods=["POST"])
        self._made_secret = ("", 0.0)
        self._fixed_queries: dict[str, str] = {}

    @property
    def api_headers(self) -> dict[str, str]:
        return {
            name: value.replace("{client_id}", self.client_id)
            for name, value in self.provider.api_headers.items()
        }

    @property
    def identity_issuer(self) -> str:
        return self.issuer.identity_issuer if self.issuer else super().identity_issuer

    @property
    def form_origins(self) -> tuple[str, ...]:
        if self.issuer:
            return (*self.issuer.form_origins, *self.provider.also_passes)
        return super().form_origins

    @property
    def client_secret(self) -> str:
        """The client's secret; one that is made of a key is kept for most of its hour."""
        make = self.provider.make_secret
        if make is None:
            return self.registration.secret
        secret, made_at = self._made_secret
        if not 0 <= time.time() - made_at < MADE_SECRET_SECONDS:  # made ahead: a clock put back
            made_at = time.time()
            secret = make(self.registration, int(made_at))
            self._made_secret = (secret, made_at)
        return secret

    @client_secret.setter
    def client_secret(self, value: object) -> None:
        """Flask-Dance sets it once, to nothing."""

    @property
    def client_auth(self) -> ClientAuth:
        """How the token endpoint gets to know us (RFC 6749 2.3.1). Raises ProviderError."""
        if not self.registration.secret and self.provider.make_secret is None:
            return "none"
        if self.provider.client_auth is None and self.issuer:
            return self.issuer.metadata().client_auth
        return self.provider.client_auth or "post"

    def new_session(self) -> ProviderSession:
        return ProviderSession(self, client_id=self.client_id, scope=self.scope)

    def endpoint_url(self, name: str) -> str:
        """``authorization``, ``token``, ``userinfo`` or ``revocation``. Raises ProviderError."""
        if self.issuer is None:
            return super().endpoint_url(name)
        url = getattr(self.issuer.metadata(), f"{name}_endpoint")
        if not url:
            raise ProviderError(f"the issuer has no {name} endpoint")
        return str(url)

    def owns(self, url: str) -> bool:
        if self.issuer is None:
            return super().owns(url)
        return url == self.issuer.metadata().userinfo_endpoint

    def own_url(self, path: str) -> str:
        """An address of the provider's API. Raises ValueError for any other."""
        url = urljoin(self.api_url, path)
        if not self.owns(url):
            raise ValueError(f"{urlsplit(url).netloc} is not {self.name}'s API")
        return url

    def credentials(self, token: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
        """Headers and query parameters that speak for the person of a token."""
        access_token = str(token.get("access_token", ""))
        if not access_token:
            return {}, {}
        header = {"Authorization": f"{self.provider.authorization_scheme} {access_token}"}
        return header, dict(self.provider.proof(self.client_secret, access_token))

    def read(self, path: str, token: Mapping[str, Any]) -> Any:
        """JSON of the provider's API, asked for as the person of a token; ``POST path`` asks by
        POST. Needs no request of ours. Raises NotShared or ProviderError."""
        method, _, path = path.rpartition(" ")
        url = self.own_url(path)
        header, params = self.credentials(token)
        if params:
            url += ("&" if urlsplit(url).query else "?") + urlencode(params)
        headers = {**HEADERS, **self.api_headers, **header}
        return read_json(self.transport.ask(method or "GET", url, headers=headers))

    # The callback.

    def finish(self) -> Response:
        g.flow = self.gate.claim(self.name, request.args.get("state"))
        self._check_iss_parameter()
        if "error_code" in request.args and "error" not in request.args:
            # Facebook's other form of error, which Flask-Dance takes for a success.
            raise self.callback_error(request.args["error_code"])
        # Flask-Dance checks a slot of its own, of which there is one per provider.
        slot = f"{self.name}_oauth_state"
        browser_cookie[slot] = g.flow.state
        try:
            response: Response = OAuth2ConsumerBlueprint.authorized(self)
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
        if iss is not None and not self.issuer.accepts(iss):
            raise StateMismatch("the callback's iss is another issuer")

    def form_post(self) -> Response:
        """POST …/authorized: go on by GET, with which the browser sends its cookies.

        The POST comes from the provider's site, so it carries none (SameSite=Lax). What it
        says of the person travels sealed, and for this flow only.
        """
        form = {
            name: value
            for name in FORM_POST_PARAMETERS
            for value in request.form.getlist(name)[:2]
            if len(value) <= FORM_FIELD_MAX_CHARACTERS
        }
        if any(len(request.form.getlist(name)) > 1 for name in FORM_POST_PARAMETERS):
            raise StateMismatch("a callback parameter came twice")
        user = request.form.get("user", "")
        if user and "state" in form and self.provider.read_form_user:
            form["user"] = self.gate.pack(form["state"], self.provider.read_form_user(user))
        return redirect(f"{url_for(f'{self.name}.authorized')}?{urlencode(form)}", 303)

    def form_user(self) -> Mapping[str, object]:
        """What the form of this flow said of the person: not signed by anybody, to show only."""
        return self.gate.unpack(g.flow.state, request.args.get("user", ""))

    # The protocol, for the session above.

    def authorization_address(self, flow: Flow) -> str:
        """The authorization request (RFC 6749 4.1.1): from configuration and flow only, no
        parameter of the request gets through."""
        endpoint = self.endpoint_url("authorization")
        separator = "&" if urlsplit(endpoint).query else "?"
        own = {"state": flow.state}
        if self.provider.pkce:
            own |= {"code_challenge": s256(flow.code_verifier), "code_challenge_method": "S256"}
        if self.issuer:
            own["nonce"] = flow.nonce
        return f"{endpoint}{separator}{self._fixed_query(flow.intent)}&{query_of(own)}"

    def warm_up(self) -> bool:
        is_cold = self.transport.warm(self.endpoint_url("token"))
        if self.issuer is None:
            is_cold |= self.transport.warm(self.api_url, max(1, len(self.provider.reads)))
        return is_cold

    def _fixed_query(self, intent: str) -> str:
        """What is the same in each authorization request of this intent."""
        known = self._fixed_queries.get(intent)
        if known is None:
            known = self._fixed_queries[intent] = query_of(self._fixed_parameters(intent))
        return known

    def _fixed_parameters(self, intent: str) -> dict[str, str]:
        parameters = {
            **self.provider.authorize_params,
            **(self.provider.offline_params if self.registration.offline_access else {}),
            **self.provider.intent_params.get(intent, {}),
            "response_type": "code",
            self.provider.client_id_parameter: self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": self.provider.scope_separator.join(self.scope.replace(",", " ").split()),
        }
        if self.provider.read_form_user:
            parameters["response_mode"] = "form_post"
        if self.registration.hosted_domain:
            parameters["hd"] = self.registration.hosted_domain
        return {name: value for name, value in parameters.items() if value}

    def exchange(self, code: str, code_verifier: str, state: str) -> dict[str, Any]:
        """The token endpoint's answer to a code (RFC 6749 5.1).

        Raises Misconfigured when it refuses our settings, else ProviderError.
        """
        body = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
        }
        if self.provider.pkce:
            body["code_verifier"] = code_verifier
        if self.provider.state_in_token_request:
            body["state"] = state
        return self.ask_for_token(body)

    def ask_for_token(self, body: Mapping[str, str]) -> dict[str, Any]:
        """The token endpoint's answer to a grant (RFC 6749 4.1.3, 6), checked.

        Raises Misconfigured, CodeRefused when the grant is no good, else ProviderError.
        """
        response = self.post_as_client(self.endpoint_url("token"), body)
        return read_token_response(response, self.provider)

    def post_as_client(self, url: str, form: Mapping[str, str]) -> HTTPAnswer:
        """Send a form with the client's authentication (RFC 6749 2.3.1). Raises ProviderError."""
        method, body = self.client_auth, dict(form)
        if method != "basic":
            body[self.provider.client_id_parameter] = self.client_id
        if method == "post":
            body["client_secret"] = self.client_secret
        headers = {**HEADERS, **self.api_headers}
        if method == "basic":
            headers["Authorization"] = basic(self.client_id, self.client_secret)
        as_json = self.provider.json_token_request
        return self.transport.ask(
            "POST",
            url,
            headers=headers,
            form=None if as_json else body,
            document=body if as_json else None,
        )

    def check_id_token(self, answer: Mapping[str, Any], nonce: str) -> VerifiedClaims | None:
        """Raises ProviderError unless an OpenID Connect answer holds a good id_token, and
        NotAllowed when it is of another domain than the settings let in."""
        if self.issuer is None:
            return None
        claims = self.issuer.check_id_token(
            answer.get("id_token"),
            client_id=self.client_id,
            nonce=nonce,
            access_token=answer["access_token"],
        )
        check_hosted_domain(claims, self.registration.hosted_domain)
        return claims

    def granted_scopes(self, answer: Mapping[str, Any]) -> tuple[str, ...]:
        """What was granted, under the names that were asked for; all of it where none is said."""
        said = answer.get("scope")
        if isinstance(said, list):  # Twitch
            said = " ".join(each for each in said if isinstance(each, str))
        text = said if isinstance(said, str) and said.strip() else self.scope
        names = [name for name in text.replace(",", " ").split() if SCOPE.fullmatch(name)]
        return tuple(sorted({self.provider.scope_aliases.get(name, name) for name in names}))

    def token_to_keep(
        self, answer: Mapping[str, Any], claims: VerifiedClaims | None, subject: str
    ) -> dict[str, Any]:
        """The token response without what was only for this sign-in; with the sub that later
        answers are compared with, where the subject is made of other claims."""
        token = {name: value for name, value in answer.items() if name not in NOT_KEPT}
        return token | ({"sub": claims["sub"]} if claims and claims["sub"] != subject else {})

    def check(self) -> None:
        self.endpoint_url("authorization")
        self.exchange("made-up-code-to-check-the-settings", "a" * 43, "a" * 43)


def s256(code_verifier: str) -> str:
    """RFC 7636 4.2."""
    digest = hashlib.sha256(code_verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
