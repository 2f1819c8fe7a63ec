"""A fake Facebook: a versioned Graph API that wants an appsecret_proof, never says whether an
address was verified, and wraps its errors in an object.
"""

import hashlib
import hmac

from flask import Blueprint, Response, jsonify, request

from simulator.clients import Client
from simulator.handles import Endpoints
from simulator.protocol import LookAlike, Refusal

VERSION = "v26.0"
# Graph API error codes: https://developers.facebook.com/docs/graph-api/guides/error-handling
ERROR_CODES = {"invalid_client": 1, "redirect_uri_mismatch": 191}


class Facebook(LookAlike):
    name = "facebook"
    label = "Facebook"
    pkce = False

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        # The setting "Require App Secret", off for a new client: whether the proof must be present.
        # A wrong proof is always refused.
        self.requires_proof = False

    @property
    def endpoints(self) -> Endpoints:
        found = super().endpoints.present()
        return Endpoints(**{n: url.replace("{version}", VERSION) for n, url in found.items()})

    def is_proof(self, given: str | None, access_token: str) -> bool:
        """https://developers.facebook.com/docs/graph-api/guides/secure-requests"""
        if given is None and not self.requires_proof:
            return True
        secret = self.client.client_secret.encode()
        proof = hmac.new(secret, access_token.encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(given or "", proof)

    def routes(self) -> Blueprint:
        return blueprint(self)

    @classmethod
    def settings(cls, url: str) -> dict[str, str]:
        return {
            "FACEBOOK_AUTHORIZATION_URL": f"{url}/{{version}}/dialog/oauth",
            "FACEBOOK_TOKEN_URL": f"{url}/{{version}}/oauth/access_token",
            "FACEBOOK_API_URL": f"{url}/{{version}}/",
        }

    def cancelled(self) -> dict[str, str]:
        return {
            "error": "access_denied",
            "error_code": "200",
            "error_description": "Permissions error",
            "error_reason": "user_denied",
        }

    def callback(self, parameters: dict[str, str], behave: str = "") -> Response:
        if parameters == {"error": "server_error"}:  # Facebook's other error format
            parameters = {"error_code": "1349003", "error_message": "Login Error"}
        response = super().callback(parameters, behave)
        response.headers["Location"] += "#_=_"
        return response


def graph_error(message: str, code: int) -> tuple[Response, int]:
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "AbC"}
    return jsonify(error=error), 400


def blueprint(facebook: Facebook) -> Blueprint:
    routes = Blueprint("facebook", __name__, url_prefix=f"/facebook/{VERSION}")
    routes.add_url_rule("/dialog/oauth", "authorize", facebook.authorize, methods=["GET", "POST"])

    @routes.route("/oauth/access_token", methods=["GET", "POST"])
    def token() -> Response | tuple[Response, int]:
        bad = facebook.misbehave("token", facebook.of_form(request.values))
        if bad:
            return bad
        try:
            access_token, _code = facebook.redeem(request.values)
        except Refusal as refusal:
            return graph_error(refusal.error, ERROR_CODES.get(refusal.error, 100))
        return jsonify(access_token=access_token, token_type="bearer", expires_in=5183944)

    def fault() -> tuple[Response, int] | None:
        """Return what is wrong with an API call."""
        if facebook.bearer() is None:
            return graph_error("Invalid OAuth access token.", 190)
        token = request.headers["Authorization"].partition(" ")[2]
        if not facebook.is_proof(request.args.get("appsecret_proof"), token):
            return graph_error("API calls from the server require an appsecret_proof argument", 100)
        return None

    @routes.delete("/me/permissions")
    def revoke() -> Response | tuple[Response, int]:
        facebook.note("revoke")
        bad = facebook.misbehave("revoke", None) or fault()
        if bad:
            return bad
        facebook.revoke(request.headers["Authorization"].partition(" ")[2])
        return jsonify(success=True)

    @routes.get("/me")
    def me() -> Response | tuple[Response, int]:
        facebook.note("me")
        code = facebook.bearer()
        wrong = fault()
        if wrong or code is None:
            return wrong or graph_error("Invalid OAuth access token.", 190)
        bad = facebook.misbehave("profile", code)
        if bad:
            return bad
        person, answer = code.person, {}
        fields = request.args.get("fields", "id,name")
        answer["id"] = person.subject("facebook", 17)
        if person.name and "name" in fields:
            answer["name"] = person.name
        if person.email and "email" in fields and "email" in code.scopes:
            answer["email"] = person.email
        picture = {"url": f"https://platform-lookaside.fbsbx.com/{person.key}", "width": 256}
        return jsonify({**answer, "picture": {"data": picture}} if "picture" in fields else answer)

    return routes
