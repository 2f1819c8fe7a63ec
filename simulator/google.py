"""A look-alike of Google: OpenID Connect, with discovery, a key set and RS256 id_tokens."""

import hashlib
import time
from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator.misbehaviour import ANSWERS, OFFERED
from simulator.people import PEOPLE
from simulator.protocol import Client, Code, LookAlike, Refusal
from simulator.signing import SPOILT_CLAIMS, Claims, Signer, encode

SCOPE_URLS = {
    "email": "https://www.googleapis.com/auth/userinfo.email",
    "profile": "https://www.googleapis.com/auth/userinfo.profile",
}


class Google(Signer, LookAlike):
    """``key`` signs; ``rotate`` changes it as Google does every few weeks."""

    name = "google"
    label = "Google"
    client_auth = ("post", "basic")

    def __init__(self, client: Client) -> None:
        Signer.__init__(self, self.name)
        LookAlike.__init__(self, client)
        # For tests: what metadata and key set answer instead, and what is changed in the metadata.
        self.metadata_answer = ""
        self.metadata_changes: dict[str, Any] = {}
        self.certs_answer = ""
        # … and the name that only userinfo gives.
        self.userinfo_name = ""

        # What is wrong with the id_tokens that come with refreshed access tokens.
        self.refreshed_claims: Claims = {}

    def routes(self) -> Blueprint:
        return blueprint(self)

    @classmethod
    def settings(cls, url: str) -> dict[str, str]:
        return {"GOOGLE_ISSUER": url}

    def offered(self) -> dict[str, str]:
        """The id_token says who it is: trouble with userinfo would not be noticed."""
        return {key: words for key, words in OFFERED.items() if not key.startswith("profile:")}

    def is_offline(self) -> bool:
        """Google gives a refresh token where a consent is asked for, not at every sign-in."""
        is_asked = "consent" in request.args.get("prompt", "").split()
        return is_asked and request.args.get("access_type") == "offline"

    def extras(self) -> dict[str, str]:
        return {"iss": self.url, "scope": " ".join(self.requested_scopes()), "authuser": "0"}

    def claims(self, code: Code, access_token: str) -> Claims:
        person = code.person
        claims: Claims = {
            "iss": self.url,
            "azp": self.client.client_id,
            "aud": self.client.client_id,
            "sub": person.subject("google", 21),
            "at_hash": at_hash(access_token),
            "iat": int(time.time()),
            "exp": int(time.time()) + 3600,
        }
        if code.nonce:
            claims["nonce"] = code.nonce
        if "profile" in code.scopes:
            claims["name"] = person.name
            claims["picture"] = f"https://lh3.googleusercontent.com/a/{person.key}=s96-c"
        if "email" in code.scopes and person.email:
            claims |= {"email": person.email, "email_verified": person.email_verified}
        if person.workspace:
            claims["hd"] = person.workspace
        return {name: value for name, value in claims.items() if value != ""}

    def id_token(self, code: Code, access_token: str) -> str | None:
        claims = self.claims(code, access_token)
        place, _, flaw = code.behave.partition(":")
        if place != "id_token":
            return self.sign(claims)
        if flaw in SPOILT_CLAIMS:
            return self.sign(SPOILT_CLAIMS[flaw](claims))
        return self.spoil(flaw, claims)

    def native_token(
        self, person: str, *, audience: str = "", flaw: str = "", **changes: Any
    ) -> str:
        """An ID token as Google's SDKs give it to an app, or One Tap to a page."""
        who = PEOPLE[person]
        client_id = audience or self.client.client_id
        now = int(time.time())
        claims: Claims = {
            "iss": self.url,
            "azp": client_id,
            "aud": client_id,
            "sub": who.subject("google", 21),
            "name": who.name,
            "picture": f"https://lh3.googleusercontent.com/a/{who.key}=s96-c",
            "iat": now,
            "exp": now + 3600,
        }
        if who.email:
            claims |= {"email": who.email, "email_verified": who.email_verified}
        claims |= changes
        if flaw in SPOILT_CLAIMS:
            return self.sign(SPOILT_CLAIMS[flaw](claims))
        return (self.spoil(flaw, claims) or "") if flaw else self.sign(claims)


def at_hash(access_token: str) -> str:
    return encode(hashlib.sha256(access_token.encode()).digest()[:16])


def blueprint(google: Google) -> Blueprint:
    routes = Blueprint("google", __name__, url_prefix="/google")

    @routes.get("/.well-known/openid-configuration")
    def metadata() -> Response:
        google.note("metadata")
        if google.metadata_answer:
            return ANSWERS[google.metadata_answer]()
        return jsonify(
            {
                "issuer": google.url,
                "authorization_endpoint": f"{google.url}/o/oauth2/v2/auth",
                "token_endpoint": f"{google.url}/token",
                "userinfo_endpoint": f"{google.url}/v1/userinfo",
                "revocation_endpoint": f"{google.url}/revoke",
                "jwks_uri": f"{google.url}/oauth2/v3/certs",
                "token_endpoint_auth_methods_supported": [
                    f"client_secret_{method}" for method in google.client_auth
                ],
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
                **google.metadata_changes,
            }
        )

    @routes.get("/oauth2/v3/certs")
    def certs() -> Response:
        google.note("certs")
        if google.certs_answer:
            return ANSWERS[google.certs_answer]()
        key = google.key.as_dict(private=False, use="sig", alg="RS256")
        return jsonify({"keys": [key]})

    routes.add_url_rule("/o/oauth2/v2/auth", "authorize", google.authorize, methods=["GET", "POST"])

    token_routes(google, routes)

    @routes.get("/v1/userinfo")
    def userinfo() -> Response | tuple[Response, int]:
        google.note("userinfo")
        code = google.bearer()
        if code is None:
            return jsonify(error="invalid_token"), 401
        bad = google.misbehave("profile", code)
        if bad:
            return bad
        person = code.person
        subject = person.subject("google", 21)
        if code.behave == "userinfo:other_sub":
            subject = "1"
        claims: Claims = {"sub": subject, "name": person.name or google.userinfo_name}
        claims["picture"] = f"https://lh3.googleusercontent.com/a/{person.key}"
        if "email" in code.scopes and person.email:
            claims |= {"email": person.email, "email_verified": person.email_verified}
        claims |= {"hd": person.workspace} if person.workspace else {}
        return jsonify({name: value for name, value in claims.items() if value != ""})

    return routes


def refused(refusal: Refusal) -> tuple[Response, int]:
    status = 401 if refusal.error == "invalid_client" else 400
    return jsonify(error=refusal.error, error_description=refusal.description), status


def token_routes(google: Google, routes: Blueprint) -> None:
    """The token endpoint, by code and by refresh token, and the revocation endpoint."""

    @routes.post("/token")
    def token() -> Response | tuple[Response, int]:
        if request.form.get("grant_type") == "refresh_token":
            return refreshed()
        bad = google.misbehave("token", google.of_form(request.form))
        if bad:
            google.note("token")
            return bad
        try:
            access_token, code = google.redeem(request.form)
        except Refusal as refusal:
            return refused(refusal)
        id_token = google.id_token(code, access_token)
        return answer(access_token, code, id_token, google.refresh_token(code))

    def refreshed() -> Response | tuple[Response, int]:
        bad = google.misbehave("refresh", None)
        if bad:
            google.note("refresh")
            return bad
        try:
            access_token, code, following = google.refresh(request.form)
        except Refusal as refusal:
            return refused(refusal)
        claims = google.claims(code, access_token)
        claims.pop("nonce", None)
        return answer(access_token, code, google.sign(claims | google.refreshed_claims), following)

    def answer(
        access_token: str, code: Code, id_token: str | None, more: dict[str, str]
    ) -> Response:
        # Google names its scopes by URL, and in an order of its own.
        scopes = sorted((SCOPE_URLS.get(scope, scope) for scope in code.scopes), reverse=True)
        values: Claims = {
            "access_token": access_token,
            "expires_in": 3599,
            "scope": " ".join(scopes),
            "token_type": "Bearer",
        }
        return jsonify(values | more | ({"id_token": id_token} if id_token is not None else {}))

    @routes.post("/revoke")
    def revoke() -> Response | tuple[Response, int]:
        google.note("revoke")
        bad = google.misbehave("revoke", None)
        if bad:
            return bad
        try:
            google.authenticate(request.form)
        except Refusal as refusal:
            return refused(refusal)
        # RFC 7009 2.2 has a success for an unknown token; Google has an error.
        if not google.revoke(request.form.get("token", "")):
            return jsonify(error="invalid_token", error_description="Token expired or revoked"), 400
        return jsonify({})
