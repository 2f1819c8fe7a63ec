"""The base of all fake providers: clients, one-use codes, tokens, and the page to choose a person.

Enforced rules (RFC 6749, RFC 7636): the client and its redirect URI must be registered, and a fault
in either is shown, never redirected; a code works once, for a minute, for its client, its redirect
URI and its PKCE challenge.
"""

import base64
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import unquote_plus, urlencode

from flask import Blueprint, Response, redirect, render_template, request

from simulator.clients import Client
from simulator.handles import Handles
from simulator.misbehaviour import ANSWERS
from simulator.people import PEOPLE, Person

CODE_SECONDS = 60


@dataclass
class Code:
    """An authorization code with everything it is bound to."""

    person: Person
    redirect_uri: str
    challenge: str | None
    nonce: str | None
    scopes: tuple[str, ...]
    behave: str
    expires: float
    offline: bool = False
    used: bool = False
    # The whole authorization request.
    asked: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Refusal(Exception):
    """An OAuth error of the token endpoint; each provider formats it in its own way."""

    error: str
    description: str = ""


class LookAlike(Handles):
    """One fake provider. ``seen`` lists the requests it answered, for tests."""

    name: ClassVar[str]
    label: ClassVar[str]
    # The name that a site uses, if it differs.
    site_name: ClassVar[str] = ""
    in_demo: ClassVar[bool] = True
    pkce: ClassVar[bool] = True
    # How the token endpoint accepts the client's secret: "post", "basic" or both; "none": a public
    # client has no secret, and must send a code verifier (RFC 8252 8.1).
    client_auth: ClassVar[tuple[str, ...]] = ("post",)

    def __init__(self, client: Client) -> None:
        self.client = client
        # Its URL, once it is served.
        self.url = ""
        self.codes: dict[str, Code] = {}
        self.tokens: dict[str, Code] = {}
        self.refresh_tokens: dict[str, Code] = {}
        # Whether a refresh token works once only, and returns the next one (RFC 6749 6).
        self.rotates = False
        # For tests: the response of each endpoint from now on, and the people whose access was
        # revoked.
        self.answers: dict[str, str] = {}
        self.revoked: list[str] = []
        self.seen: list[str] = []
        self.lock = threading.Lock()

    def routes(self) -> Blueprint:
        """Its endpoints, below ``/<name>``."""
        raise NotImplementedError

    @classmethod
    def settings(cls, url: str) -> dict[str, str]:
        """Return the variables that point a site at ``url``, where it is served, without id and
        secret."""
        raise NotImplementedError

    @classmethod
    def credentials(cls, client: Client) -> dict[str, str]:
        """Return the variables of a site's registration here."""
        upper = cls.name.upper()
        return {
            f"{upper}_CLIENT_ID": client.client_id,
            f"{upper}_CLIENT_SECRET": client.client_secret,
        }

    # The authorization endpoint.

    def authorize(self) -> Response | tuple[str, int]:
        """GET: show the page to choose a person. POST: take the choice."""
        fault = self._fault_to_show() or self._fault_of_request()
        if fault:
            return render_template("refused.html", provider=self, fault=fault), 400
        if request.method == "GET":
            page = render_template(
                "choose.html",
                provider=self,
                people=PEOPLE.values(),
                offered=self.offered(),
                scopes=self.requested_scopes(),
            )
            return page, 200
        behave = request.form.get("behave", "")
        if "cancel" in request.form:
            return self.callback(self.cancelled())
        if behave == "callback:server_error":
            return self.callback({"error": "server_error"})
        if behave == "callback:no_code":
            return self.callback({})
        person = PEOPLE.get(request.form.get("person", ""))
        if person is None:
            return render_template("refused.html", provider=self, fault="No such person"), 400
        return self.callback({"code": self.issue(person, behave), **self.extras()}, behave)

    def _fault_to_show(self) -> str | None:
        if request.args.get("client_id") != self.client.client_id:
            return "The OAuth client was not found."
        if request.args.get("redirect_uri") not in self.client.redirect_uris:
            return "The redirect URI is not registered for this client."
        return None

    def _fault_of_request(self) -> str | None:
        if request.args.get("response_type") != "code":
            return "response_type must be code."
        if self.pkce and request.args.get("code_challenge_method") not in (None, "S256"):
            return "code_challenge_method must be S256."
        return None

    def cancelled(self) -> dict[str, str]:
        return {"error": "access_denied"}

    def extras(self) -> dict[str, str]:
        """Return further parameters that this provider adds to the callback."""
        return {}

    def requested_scopes(self) -> tuple[str, ...]:
        return tuple(request.args.get("scope", "").replace(",", " ").split())

    def is_offline(self) -> bool:
        """Whether this request asks for a refresh token."""
        return False

    def issue(self, person: Person, behave: str = "") -> str:
        code = secrets.token_urlsafe(24)
        with self.lock:
            self.codes[code] = Code(
                person=person,
                redirect_uri=request.args["redirect_uri"],
                challenge=request.args.get("code_challenge"),
                nonce=request.args.get("nonce"),
                scopes=self.requested_scopes(),
                behave=behave,
                expires=time.monotonic() + CODE_SECONDS,
                offline=self.is_offline(),
                asked=request.args.to_dict(),
            )
        return code

    def callback(self, parameters: dict[str, str], behave: str = "") -> Response:
        query = urlencode(self.with_state(parameters, behave))
        return redirect(f"{request.args['redirect_uri']}?{query}")  # type: ignore[return-value]

    def with_state(self, parameters: dict[str, str], behave: str) -> dict[str, str]:
        state = request.args.get("state")
        if behave == "callback:wrong_state":
            state = secrets.token_urlsafe(32)
        return {**parameters, **({"state": state} if state is not None else {})}

    # The token endpoint.

    def redeem(self, form: Any) -> tuple[str, Code]:
        """Exchange a code for an access token. Raises Refusal."""
        self.note("token")
        self.authenticate(form)
        if form.get("grant_type") != "authorization_code":
            raise Refusal("unsupported_grant_type")
        with self.lock:
            code = self.codes.get(form.get("code", ""))
            if code is None or code.used or code.expires < time.monotonic():
                raise Refusal("invalid_grant", "The code is unknown, used or expired.")
            code.used = True
        if form.get("redirect_uri") != code.redirect_uri:
            raise Refusal("redirect_uri_mismatch")
        self._check_pkce(code, form.get("code_verifier"))
        token = secrets.token_urlsafe(32)
        with self.lock:
            self.tokens[token] = code
        return token, code

    def authenticate(self, form: Any) -> None:
        """Check for one authentication method and the right secret (RFC 6749 2.3.1). Raises
        Refusal."""
        client_id, client_secret, method = form.get("client_id"), form.get("client_secret"), "post"
        if (given := request.authorization) and given.type == "basic":
            if client_secret is not None:
                raise Refusal("invalid_request", "More than one method of client authentication.")
            client_id, client_secret = (
                unquote_plus(given.username or ""),
                unquote_plus(given.password or ""),
            )
            method = "basic"
        if client_secret is None and "none" in self.client_auth:
            if client_id != self.client.client_id or not form.get("code_verifier"):
                raise Refusal("invalid_client", "A public client brings a code verifier.")
            return
        if method not in self.client_auth:
            raise Refusal("invalid_client", f"The secret does not come by {method} here.")
        if client_id != self.client.client_id or not self.is_secret(client_secret or ""):
            raise Refusal("invalid_client", "The client secret is wrong.")

    def is_secret(self, client_secret: str) -> bool:
        return hmac.compare_digest(client_secret.encode(), self.client.client_secret.encode())

    def refresh_token(self, code: Code) -> dict[str, str]:
        """Return the refresh token members of a token response, if offline access was requested."""
        if not code.offline:
            return {}
        token = secrets.token_urlsafe(32)
        with self.lock:
            self.refresh_tokens[token] = code
        return {"refresh_token": token}

    def refresh(self, form: Any) -> tuple[str, Code, dict[str, str]]:
        """Exchange a refresh token for new access and refresh tokens. Raises Refusal."""
        self.note("refresh")
        self.authenticate(form)
        token = form.get("refresh_token", "")
        with self.lock:
            code = self.refresh_tokens.get(token)
            if code is None:
                raise Refusal("invalid_grant", "The refresh token is unknown, used or revoked.")
            access_token = secrets.token_urlsafe(32)
            self.tokens[access_token] = code
            if self.rotates:
                del self.refresh_tokens[token]
        return access_token, code, self.refresh_token(code) if self.rotates else {}

    def revoke(self, token: str) -> bool:
        """Revoke everything that belongs to this token's authorization; return whether there was
        one."""
        with self.lock:
            code = self.tokens.get(token) or self.refresh_tokens.get(token)
            if code is None:
                return False
            for held in (self.tokens, self.refresh_tokens):
                for each in [each for each, of in held.items() if of.person.key == code.person.key]:
                    del held[each]
            self.revoked.append(code.person.key)
        return True

    def _check_pkce(self, code: Code, verifier: str | None) -> None:
        if code.challenge is None:
            return
        digest = hashlib.sha256((verifier or "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != code.challenge:
            raise Refusal("invalid_grant", "The code verifier does not match.")

    def misbehave(self, where: str, code: Code | None) -> Response | None:
        """Return the bad response that was requested for this endpoint, if any."""
        if where in self.answers:
            return ANSWERS[self.answers[where]]()
        place, _, answer = (code.behave if code else "").partition(":")
        return ANSWERS[answer]() if place == where and answer in ANSWERS else None

    def answer_of(self, name: str) -> Response:
        """Return one of the bad responses, by name."""
        return ANSWERS[name]()

    def of_form(self, form: Any) -> Code | None:
        return self.codes.get(form.get("code", ""))

    # Profile endpoints.

    def bearer(self) -> Code | None:
        """Return the person whose access token a profile request carries."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        return self.tokens.get(token) if kind.lower() == "bearer" else None

    def note(self, what: str) -> None:
        with self.lock:
            self.seen.append(what)
