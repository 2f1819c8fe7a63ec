"""The OAuth 2.0 client (RFC 6749): authorization code with PKCE, refresh, revocation.

https://www.rfc-editor.org/rfc/rfc6749
"""

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from config.registrations import Registration
from keys.jwt import VerifiedClaims
from providers.base import Assertion, Flow, Get, Provider
from providers.http.responses import Answer
from providers.http.transport import HEADERS, Transport
from providers.parts import Params
from providers.profile import clean_id
from providers.protocols import revocation
from providers.protocols.asking import AskingClient
from providers.protocols.authorization_request import InventedFlow, query_of, s256
from providers.protocols.client_auth import authenticate
from providers.protocols.connector import Token, with_query
from providers.protocols.token_endpoint import read_token_response

# RFC 6749 3.3, bounded: the granted scopes are stored and shown.
SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,255}")
# Members of a token response that are not stored.
NOT_KEPT = frozenset({"id_token", "scope"})
# Fields of a token request that are secret.
SECRET_FIELDS = ("code", "code_verifier", "refresh_token")


class OAuth2Client(AskingClient):
    """A plain OAuth 2.0 provider as registered here; OpenID Connect derives from it."""

    callback_parameters = ("state", "code", "error", "iss")  # RFC 6749 3.1

    def __init__(
        self, provider: Provider, registration: Registration, http: Transport, redirect_uri: str
    ) -> None:
        super().__init__(provider, registration, http, redirect_uri)
        own = {
            name: value.replace("{client_id}", self.client_id)
            for name, value in self.protocol.api_headers.items()
        }
        self.headers = {**HEADERS, **own}
        self._fixed_queries: dict[tuple[str, bool], str] = {}

    # The authorization request.

    def authorization_url(self, flow: Flow) -> str:
        """Build the authorization request (RFC 6749 4.1.1) from configuration and flow only: no
        parameter of the browser's request is used."""
        endpoint = self.endpoint_url("authorization")
        separator = "&" if urlsplit(endpoint).query else "?"
        own = query_of(self._flow_parameters(flow))
        return f"{endpoint}{separator}{self._fixed_query(flow.intent, flow.chooses_account)}&{own}"

    def _flow_parameters(self, flow: Flow) -> dict[str, str]:
        own = {"state": flow.state}
        if self.protocol.pkce:
            own |= {"code_challenge": s256(flow.code_verifier), "code_challenge_method": "S256"}
        return own

    def _fixed_query(self, intent: str, chooses_account: bool) -> str:
        """Return the parameters that every authorization request of this intent has."""
        kind = (intent, chooses_account)
        known = self._fixed_queries.get(kind)
        if known is None:
            known = self._fixed_queries[kind] = query_of(self._fixed_parameters(*kind))
        return known

    def _further_parameters(self, intent: str, chooses_account: bool) -> dict[str, str]:
        """Return the provider's own parameters. ``prompt`` is a list (OpenID Connect Core
        3.1.2.1), so a choice of account does not cost the refresh token."""
        own = self.provider.params_for(intent, chooses_account=chooses_account)
        offline = self.protocol.offline_params if self.registration.offline_access else {}
        prompts = [each["prompt"] for each in (own, offline) if "prompt" in each]
        prompt = {"prompt": " ".join(dict.fromkeys(prompts))} if prompts else {}
        return {**self.protocol.authorize_params, **offline, **own, **prompt}

    def _fixed_parameters(self, intent: str, chooses_account: bool) -> dict[str, str]:
        parameters = {
            **self._further_parameters(intent, chooses_account),
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": self.protocol.scope_separator.join(self.scope.replace(",", " ").split()),
        }
        if self.protocol.read_form_user:
            parameters["response_mode"] = "form_post"
        if intent == "sign_in" and not chooses_account:
            parameters |= self.hint
        if self.registration.hosted_domain:
            parameters["hd"] = self.registration.hosted_domain
        return {name: value for name, value in parameters.items() if value}

    def warm_up(self) -> bool:
        is_cold = self.http.warm(self.endpoint_url("token"))
        return is_cold | self.http.warm(self.api_url, max(1, len(self.protocol.reads)))

    def check_callback(self, parameters: Mapping[str, str]) -> None:
        """Check a callback's parameters, except its state. Raises SignInError."""
        if "error_code" in parameters and "error" not in parameters:
            # Facebook's other error format, which Flask-Dance takes for a success.
            said = parameters.get("error_message") or parameters.get("error_description")
            raise self.callback_error(parameters["error_code"], said)

    # The token endpoint.

    def exchange(self, code: str, flow: Flow) -> dict[str, Any]:
        """Exchange a code for the token response (RFC 6749 4.1.3, 5.1).

        Raises Misconfigured if our settings are refused, otherwise ProviderError.
        """
        body = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
        }
        if self.protocol.pkce:
            body["code_verifier"] = flow.code_verifier
        if self.protocol.state_in_token_request:
            body["state"] = flow.state
        return self.fetch_token(body)

    def fetch_token(self, body: Params) -> dict[str, Any]:
        """Send a token request (RFC 6749 4.1.3, 6) and check its response.

        Raises Misconfigured, CodeRefused if code or refresh token is invalid, otherwise
        ProviderError.
        """
        response = self.post_as_client(self.endpoint_url("token"), body)
        secrets = [self.client_secret, *(body.get(name, "") for name in SECRET_FIELDS)]
        return read_token_response(response, self.provider, secrets)

    def post_as_client(self, url: str, form: Params) -> Answer:
        """Send a form with the client's authentication (RFC 6749 2.3.1). Raises ProviderError."""
        own_headers, own_fields = authenticate(self, url)
        headers, body = {**self.headers, **own_headers}, {**form, **own_fields}
        if self.protocol.json_token_request:
            return self.http.ask("POST", url, headers=headers, document=body)
        return self.http.ask("POST", url, headers=headers, form=body)

    # The assertion.

    def verify_id_token(self, _answer: Token, _flow: Flow) -> VerifiedClaims | None:
        """Verify the id_token of a token response; None: this protocol has none."""
        return None

    def read_assertion(
        self, answer: dict[str, Any], flow: Flow, form_user: Mapping[str, object]
    ) -> Assertion:
        """Read the person of a token response: first the id_token, then the profile.

        ``form_user``: the unsigned person in this flow's form. Raises ProviderError, NotAllowed or
        NotFresh.
        """
        claims = self.verify_id_token(answer, flow)
        get = self._getter(answer, claims, form_user)
        profile, failure = self.read_profile(get)
        scopes = self._granted_scopes(answer)
        return Assertion(
            provider=self.name,
            issuer=self.identity_issuer,
            profile=profile,
            scopes=scopes,
            facts=self.facts_at_sign_in(profile.subject, answer, get, scopes),
            incomplete=failure.code if failure else "",
            # OpenID Connect Back-Channel Logout 2.1.
            upstream_sid=clean_id(claims.get("sid") if claims else None),
            token=_kept(answer, claims, profile.subject),
        )

    def _getter(
        self, answer: Token, claims: VerifiedClaims | None, form_user: Mapping[str, object]
    ) -> Get:
        """Make the ``get`` that a profile function gets at a sign-in. The requests in a provider's
        ``reads`` run concurrently."""
        known: dict[str, Callable[[], Any]] = {
            "token": lambda: answer,
            "form_user": lambda: form_user,
            **self._claims(answer, claims),
        }
        begun: dict[str, Callable[[], Any]] = {}

        def get(path: str) -> Any:
            if path in known:
                return known[path]()
            if not begun:
                for other in self.protocol.reads:
                    if other != path:
                        begun[other] = self.http.beside(functools.partial(self.read, other, answer))
            return begun[path]() if path in begun else self.read(path, answer)

        return get

    def _claims(
        self, _answer: Token, _claims: VerifiedClaims | None
    ) -> dict[str, Callable[[], Any]]:
        return {}

    def _granted_scopes(self, answer: Token) -> tuple[str, ...]:
        """Return the granted scopes, under the names that we requested; all if the provider names
        none."""
        said = answer.get("scope")
        if isinstance(said, list):  # Twitch
            said = " ".join(each for each in said if isinstance(each, str))
        text = said if isinstance(said, str) and said.strip() else self.scope
        names = [name for name in text.replace(",", " ").split() if SCOPE.fullmatch(name)]
        return tuple(sorted({self.protocol.scope_aliases.get(name, name) for name in names}))

    # API requests on behalf of a person.

    def request_as(self, token: Token, path: str) -> Answer:
        method, _, path = path.rpartition(" ")
        url = self.own_url(path)
        header, params = self.credentials(token)
        url = with_query(url, params)
        return self.http.ask(method or "GET", url, headers={**self.headers, **header})

    def credentials(self, token: Token) -> tuple[dict[str, str], Params]:
        access_token = str(token.get("access_token", ""))
        if not access_token:
            return {}, {}
        header = {"Authorization": f"{self.protocol.authorization_scheme} {access_token}"}
        return header, self.protocol.sign_request(self.client_secret, access_token)

    # After the sign-in.

    def refresh(self, subject: str, token: Token) -> dict[str, Any]:
        answer = self.fetch_token(
            {"grant_type": "refresh_token", "refresh_token": str(token.get("refresh_token"))}
        )
        self._verify_refreshed(answer, subject, token)
        kept = {"sub": token["sub"]} if "sub" in token else {}
        return {name: value for name, value in answer.items() if name not in NOT_KEPT} | kept

    def _verify_refreshed(self, _answer: Token, _subject: str, _token: Token) -> None:
        """Raise ProviderError if a refreshed token is another person's, as far as the provider
        says."""

    def can_revoke(self) -> bool:
        return self.protocol.revocation is not None

    def revoke(self, token: Token) -> None:
        revocation.revoke(self, self.protocol.revocation, token)

    def check(self) -> None:
        self.authorization_url(InventedFlow())
        self.exchange("made-up-code-to-check-the-settings", InventedFlow())


def _kept(answer: Token, claims: VerifiedClaims | None, subject: str) -> dict[str, Any]:
    """Return a token response without the members of this sign-in only; with the sub that later
    responses are compared with, if the subject consists of other claims."""
    token = {name: value for name, value in answer.items() if name not in NOT_KEPT}
    return token | ({"sub": claims["sub"]} if claims and claims["sub"] != subject else {})
