"""Two applications, Notes and Photos, that sign people in through an OpenID Provider: strict
relying parties for demonstrations. They know nothing of whom they ask but its metadata.
"""

import hashlib
import json
import secrets
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request as Call
from urllib.request import urlopen

from flask import Blueprint, Response, abort, redirect, render_template, request
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from simulator.gated import Wiki

NAMES = {"notes": "Notes", "photos": "Photos"}
STATIC = Path(__file__).parent / "static"
SECONDS = 10
# Shown after an answer that signs nobody in, by its error; else FAILED.
PROBLEMS = {"access_denied": "You were not signed in: you did not allow it."}
FAILED = "Signing in did not work."
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass
class App:
    """One application. ``people``: who is signed in, by the value of its cookie."""

    name: str
    url: str = ""
    issuer: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    people: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    # Verifier and nonce of each attempt, by its state.
    attempts: dict[str, tuple[str, str]] = field(default_factory=dict, repr=False)

    @property
    def label(self) -> str:
        return NAMES[self.name]

    @property
    def logo(self) -> Path:
        return STATIC / f"{self.name}.svg"

    @property
    def redirect_uri(self) -> str:
        return f"{self.url}/callback"

    @property
    def cookie(self) -> str:
        return f"app_{self.name}"

    @property
    def attempt_cookie(self) -> str:
        """Return the cookie that binds an attempt to the browser in which it began."""
        return f"attempt_{self.name}"

    def connect(self, issuer: str, client_id: str, client_secret: str) -> None:
        """Take the registration at an OpenID Provider."""
        self.issuer, self.client_id, self.client_secret = issuer, client_id, client_secret

    def metadata(self) -> dict[str, str]:
        return dict(fetch(f"{self.issuer}/.well-known/openid-configuration"))

    def begin(self) -> tuple[str, str]:
        """Return the address where a person signs in, and the state of the attempt."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        self.attempts[state] = (verifier, nonce)
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid profile email",
            "state": state,
            "nonce": nonce,
            "code_challenge": urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"{self.metadata()['authorization_endpoint']}?{urlencode(query)}", state

    def finish(self, answer: dict[str, str], begun: str) -> str | None:
        """Take the answer in the browser that began the attempt of state ``begun``; return the
        value of the cookie, or None if it is refused or not ours."""
        attempt = self.attempts.pop(begun, None)
        if (
            attempt is None
            or answer.get("state") != begun
            or answer.get("iss") != self.issuer
            or "code" not in answer
        ):
            return None
        verifier, nonce = attempt
        form = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": self.redirect_uri,
            "code_verifier": verifier,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        tokens = fetch(self.metadata()["token_endpoint"], form)
        claims = self.verify(tokens["id_token"])
        if claims.get("nonce") != nonce:
            return None
        value = secrets.token_urlsafe(24)
        about = fetch(self.metadata()["userinfo_endpoint"], token=tokens["access_token"])
        self.people[value] = {**claims, **about, "id_token": tokens["id_token"]}
        return value

    def verify(self, token: str) -> dict[str, Any]:
        """Return the claims of a token that the provider signed for us. Raises JoseError."""
        keys = jwk.KeySet.import_key_set(fetch(self.metadata()["jwks_uri"]))
        found = jwt.decode(token, keys, algorithms=["RS256", "ES256"])
        rules = jwt.JWTClaimsRegistry(
            now=lambda: int(time.time()),
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.client_id},
            exp={"essential": True},
        )
        rules.validate(found.claims)
        return dict(found.claims)

    def sign_out_of(self, claims: dict[str, Any]) -> None:
        """Sign the sign-ins out that a logout token names."""
        sid, sub = claims.get("sid"), claims.get("sub")
        self.people = {
            value: person
            for value, person in self.people.items()
            if person["sub"] != sub or (sid is not None and person.get("sid") != sid)
        }


def fetch(url: str, form: dict[str, str] | None = None, token: str = "") -> Any:
    """Return a JSON document."""
    data = urlencode(form).encode() if form else None
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with urlopen(Call(url, data, headers), timeout=SECONDS) as answer:
        return json.load(answer)


def problem_of(error: str | None) -> str | None:
    """Return the words for an error."""
    return PROBLEMS.get(error, FAILED) if error else None


def blueprint(apps: dict[str, App], wiki: Wiki) -> Blueprint:
    routes = Blueprint("apps", __name__, url_prefix="/apps")

    def known(name: str) -> App:
        return apps[name] if name in apps else abort(404)

    @routes.get("/<name>")
    def home(name: str) -> Any:
        app = known(name)
        person = app.people.get(request.cookies.get(app.cookie, ""))
        other = next(each for each in apps.values() if each is not app)
        problem = problem_of(request.args.get("problem"))
        about = {"app": app, "other": other, "person": person, "problem": problem}
        return render_template("app.html", **about, wiki=wiki)

    @routes.get("/<name>/login")
    def login(name: str) -> Any:
        app = known(name)
        url, state = app.begin()
        response = redirect(url)
        response.set_cookie(app.attempt_cookie, state, httponly=True, samesite="Lax")
        return response

    @routes.get("/<name>/callback")
    def callback(name: str) -> Any:
        app = known(name)
        try:
            value = app.finish(dict(request.args), request.cookies.get(app.attempt_cookie, ""))
        except (JoseError, URLError):
            value = None
        problem = urlencode({"problem": request.args.get("error", "failed")})
        response = redirect(app.url if value else f"{app.url}?{problem}")
        response.delete_cookie(app.attempt_cookie)
        if value:
            response.set_cookie(app.cookie, value, httponly=True, samesite="Lax")
        return response

    @routes.get("/<name>/logout")
    def logout(name: str) -> Any:
        app = known(name)
        person = app.people.pop(request.cookies.get(app.cookie, ""), None)
        if person is None:
            return redirect(app.url)
        query = {"id_token_hint": person["id_token"], "post_logout_redirect_uri": app.url}
        return redirect(f"{app.metadata()['end_session_endpoint']}?{urlencode(query)}")

    @routes.post("/<name>/backchannel")
    def backchannel(name: str) -> Response:
        app = known(name)
        try:
            claims = app.verify(request.form.get("logout_token", ""))
        except (JoseError, URLError, ValueError):
            return Response(status=400)
        if LOGOUT_EVENT not in claims.get("events", {}) or "nonce" in claims:
            return Response(status=400)
        app.sign_out_of(claims)
        return Response(status=200)

    return routes
