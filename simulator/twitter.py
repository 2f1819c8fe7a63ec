"""Fake X: OAuth 1.0a with checked signatures (RFC 5849), and OAuth 2.0."""

import base64
import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from flask import Blueprint, Response, jsonify, redirect, render_template, request

from simulator.clients import Client
from simulator.people import PEOPLE, Person
from simulator.protocol import Code, LookAlike, Refusal

CLOCK_SECONDS = 300
DIGITS = 19


@dataclass
class RequestToken:
    """A request token, and later the access token it was exchanged for."""

    secret: str
    callback: str = ""
    person: Person | None = None
    behave: str = ""
    verifier: str = ""


class Twitter(LookAlike):
    """X by OAuth 1.0a."""

    name = "twitter"
    label = "X"
    pkce = False
    own_faults = ("token:other_user",)

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.request_tokens: dict[str, RequestToken] = {}
        self.access_tokens: dict[str, RequestToken] = {}
        self.nonces: set[str] = set()
        # For tests: changes or replacements of the response to a request for a token.
        self.request_token_changes: dict[str, str] = {}
        self.request_token_answer = ""

    def routes(self) -> Blueprint:
        return blueprint(self)

    @classmethod
    def settings(cls, url: str) -> dict[str, str]:
        return {
            "TWITTER_REQUEST_TOKEN_URL": f"{url}/oauth/request_token",
            "TWITTER_AUTHORIZATION_URL": f"{url}/oauth/authenticate",
            "TWITTER_TOKEN_URL": f"{url}/oauth/access_token",
            "TWITTER_API_URL": f"{url}/",
        }

    def signed(self, tokens: dict[str, RequestToken]) -> tuple[dict[str, str], RequestToken | None]:
        """Return the parameters of a correctly signed request. Raises Refusal."""
        sent = authorization_parameters(request.headers.get("Authorization", ""))
        token = tokens.get(sent.get("oauth_token", "")) if tokens else None
        if sent.get("oauth_consumer_key") != self.client.client_id or (tokens and token is None):
            raise Refusal("89", "Invalid or expired token.")
        if abs(time.time() - int(sent.get("oauth_timestamp", "0"))) > CLOCK_SECONDS:
            raise Refusal("135", "Timestamp out of bounds.")
        expected = signature(sent, self.client.client_secret, token.secret if token else "")
        if not hmac.compare_digest(sent.get("oauth_signature", ""), expected):
            raise Refusal("32", "Could not authenticate you.")
        with self.lock:
            if sent["oauth_nonce"] in self.nonces:
                raise Refusal("32", "Used before.")
            self.nonces.add(sent["oauth_nonce"])
        return sent, token

    def begin(self) -> dict[str, str]:
        """Issue a request token (RFC 5849 2.1). Raises Refusal."""
        sent, _ = self.signed({})
        if sent.get("oauth_callback") not in self.client.redirect_uris:
            raise Refusal("415", "Callback URL not approved for this client application.")
        value, secret = secrets.token_urlsafe(20), secrets.token_urlsafe(20)
        self.request_tokens[value] = RequestToken(secret, callback=sent["oauth_callback"])
        answer = {"oauth_token": value, "oauth_token_secret": secret}
        return answer | {"oauth_callback_confirmed": "true"} | self.request_token_changes

    def ask(self) -> Response | tuple[str, int]:
        """GET: show the page to choose a person. POST: take the choice (RFC 5849 2.2)."""
        value = request.args.get("oauth_token", "")
        token = self.request_tokens.get(value)
        if token is None:
            return render_template("refused.html", provider=self, fault="No such token."), 400
        if request.method == "GET":
            page = render_template(
                "choose.html",
                provider=self,
                people=PEOPLE.values(),
                offered=self.offered(),
                scopes=(),
            )
            return page, 200
        if "cancel" in request.form:
            return _to(token.callback, denied=value)
        token.person = PEOPLE.get(request.form.get("person", ""))
        token.behave = request.form.get("behave", "")
        token.verifier = secrets.token_urlsafe(16)
        if token.behave in ("callback:no_code", "callback:server_error"):
            return _to(token.callback, oauth_token=value)
        returned = secrets.token_urlsafe(20) if token.behave == "callback:wrong_state" else value
        return _to(token.callback, oauth_token=returned, oauth_verifier=token.verifier)

    def exchange(self) -> dict[str, str]:
        """Issue an access token, once (RFC 5849 2.3). Raises Refusal."""
        sent, token = self.signed(self.request_tokens)
        assert token is not None
        if token.person is None or sent.get("oauth_verifier") != token.verifier:
            raise Refusal("89", "Invalid verifier.")
        del self.request_tokens[sent["oauth_token"]]
        user_id = token.person.subject(self.name, DIGITS)
        access = RequestToken(secrets.token_urlsafe(20), person=token.person, behave=token.behave)
        value = f"{user_id}-{secrets.token_urlsafe(20)}"
        self.access_tokens[value] = access
        if token.behave == "token:other_user":
            user_id = "1"
        screen_name = token.person.username or ""
        answer = {"oauth_token": value, "oauth_token_secret": access.secret}
        return answer | {"user_id": user_id, "screen_name": screen_name}


def blueprint(twitter: Twitter) -> Blueprint:
    routes = Blueprint("twitter", __name__, url_prefix="/twitter")
    routes.add_url_rule("/oauth/authenticate", "ask", twitter.ask, methods=["GET", "POST"])

    @routes.post("/oauth/request_token")
    def request_token() -> Response | tuple[Response, int]:
        twitter.note("request_token")
        if twitter.request_token_answer:
            return twitter.answer_of(twitter.request_token_answer)
        return _form(twitter.begin)

    @routes.post("/oauth/access_token")
    def access_token() -> Response | tuple[Response, int]:
        twitter.note("token")
        sent = authorization_parameters(request.headers.get("Authorization", ""))
        token = twitter.request_tokens.get(sent.get("oauth_token", ""))
        place, _, answer = (token.behave if token else "").partition(":")
        if place == "token" and answer != "other_user":
            return twitter.answer_of(answer)
        return _form(twitter.exchange)

    @routes.get("/1.1/account/verify_credentials.json")
    def verify_credentials() -> Response | tuple[Response, int]:
        twitter.note("profile")
        try:
            _, token = twitter.signed(twitter.access_tokens)
        except Refusal as refusal:
            return _error(refusal)
        assert token is not None
        assert token.person is not None
        place, _, answer = token.behave.partition(":")
        if place == "profile":
            return twitter.answer_of(answer)
        profile = describe(token.person, twitter.name)
        shares = request.args.get("include_email") == "true" and token.person.email_verified
        profile["email"] = (token.person.email or "") if shares else None
        return jsonify(profile)

    return routes


class TwitterOAuth2(LookAlike):
    """X by OAuth 2.0: the same people with the same ids."""

    name = "twitter_oauth2"
    site_name = "twitter"
    label = "X"
    client_auth = ("basic",)
    in_demo = False

    def routes(self) -> Blueprint:
        return blueprint_2(self)

    @classmethod
    def settings(cls, url: str) -> dict[str, str]:
        return {
            "TWITTER_OAUTH2_AUTHORIZATION_URL": f"{url}/i/oauth2/authorize",
            "TWITTER_OAUTH2_TOKEN_URL": f"{url}/2/oauth2/token",
            "TWITTER_OAUTH2_API_URL": f"{url}/",
        }

    def _fault_of_request(self) -> str | None:
        if not request.args.get("code_challenge"):
            return "code_challenge is missing."
        return super()._fault_of_request()


def blueprint_2(twitter: TwitterOAuth2) -> Blueprint:
    routes = Blueprint("twitter_oauth2", __name__, url_prefix="/twitter_oauth2")
    routes.add_url_rule("/i/oauth2/authorize", "ask", twitter.authorize, methods=["GET", "POST"])

    @routes.post("/2/oauth2/token")
    def token() -> Response | tuple[Response, int]:
        bad = twitter.misbehave("token", twitter.of_form(request.form))
        if bad:
            return bad
        try:
            access_token, code = twitter.redeem(request.form)
        except Refusal as refusal:
            error = {"error": refusal.error, "error_description": refusal.description}
            return jsonify(error), 401 if refusal.error == "invalid_client" else 400
        answer: dict[str, Any] = {"token_type": "bearer", "expires_in": 7200}
        return jsonify(answer | {"access_token": access_token, "scope": " ".join(code.scopes)})

    @routes.post("/2/oauth2/revoke")
    def revoke() -> Response | tuple[Response, int]:
        twitter.note("revoke")
        try:
            twitter.authenticate(request.form)
        except Refusal as refusal:
            return jsonify(error=refusal.error), 401
        twitter.revoke(request.form.get("token", ""))
        return jsonify(revoked=True)

    @routes.get("/2/users/me")
    def me() -> Response | tuple[Response, int]:
        twitter.note("profile")
        code: Code | None = twitter.bearer()
        if code is None or not {"users.read", "tweet.read"} <= set(code.scopes):
            return jsonify(title="Forbidden", status=403), 403
        bad = twitter.misbehave("profile", code)
        if bad:
            return bad
        seen = describe(code.person, "twitter")
        data = {"id": seen["id_str"], "name": seen["name"], "username": seen["screen_name"]}
        fields = request.args.get("user.fields", "").split(",")
        if "profile_image_url" in fields:
            data["profile_image_url"] = seen["profile_image_url_https"]
        may_share = "confirmed_email" in fields and "users.email" in code.scopes
        if may_share and code.person.email and code.person.email_verified:
            data["confirmed_email"] = code.person.email
        return jsonify(data=data)

    return routes


def describe(person: Person, provider: str) -> dict[str, Any]:
    """Return part of a user as X's version 1.1 shows it."""
    number = person.subject(provider, DIGITS)
    return {
        "id": int(number),
        "id_str": number,
        "name": person.name,
        "screen_name": person.username or f"user{number[:8]}",
        "verified": False,
        "profile_image_url_https": f"https://pbs.twimg.com/profile_images/{number}/a_normal.jpg",
    }


def authorization_parameters(header: str) -> dict[str, str]:
    """Return the parameters of an ``Authorization: OAuth`` header (RFC 5849 3.5.1)."""
    if not header.startswith("OAuth "):
        return {}
    return {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', header)}


def signature(sent: dict[str, str], client_secret: str, token_secret: str) -> str:
    """Return the HMAC-SHA1 signature of this request (RFC 5849 3.4)."""
    pairs = [pair for pair in sent.items() if pair[0] not in ("oauth_signature", "realm")]
    pairs += parse_qsl(request.query_string.decode(), keep_blank_values=True)
    escaped = sorted((escape(name), escape(value)) for name, value in pairs)
    normalised = "&".join(f"{name}={value}" for name, value in escaped)
    base = "&".join(escape(part) for part in (request.method, request.base_url, normalised))
    key = f"{escape(client_secret)}&{escape(token_secret)}"
    digest = hmac.digest(key.encode(), base.encode(), hashlib.sha1)
    return base64.b64encode(digest).decode()


def escape(text: str) -> str:
    return quote(text, safe="~")


def _form(answer: Any) -> Response | tuple[Response, int]:
    try:
        return Response(urlencode(answer()), mimetype="application/x-www-form-urlencoded")
    except Refusal as refusal:
        return _error(refusal)


def _error(refusal: Refusal) -> tuple[Response, int]:
    error = {"code": int(refusal.error), "message": refusal.description}
    return jsonify(errors=[error]), 403 if refusal.error == "415" else 401


def _to(callback: str, **parameters: str) -> Response:
    return redirect(f"{callback}?{urlencode(parameters)}")  # type: ignore[return-value]
