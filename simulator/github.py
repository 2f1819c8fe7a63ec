"""A fake GitHub: comma-joined scopes, errors sent as 200, form-encoded responses unless JSON is
requested, numeric ids, a separate list of addresses with flags. Also served below /api/v3, as by
GitHub Enterprise.
"""

from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request

from simulator.clients import Client
from simulator.organisations import Organisations
from simulator.protocol import Code, LookAlike, Refusal

ERRORS = {
    "invalid_client": "incorrect_client_credentials",
    "invalid_grant": "bad_verification_code",
}


class GitHub(LookAlike):
    name = "github"
    label = "GitHub"
    client_auth = ("post", "basic")
    places = ("profile", "emails")
    own_faults = ("token:form_encoded", "emails:missing")

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.organisations = Organisations(self)

    def routes(self) -> Blueprint:
        return blueprint(self)

    @classmethod
    def settings(cls, url: str) -> dict[str, str]:
        return {
            "GITHUB_AUTHORIZATION_URL": f"{url}/login/oauth/authorize",
            "GITHUB_TOKEN_URL": f"{url}/login/oauth/access_token",
            "GITHUB_API_URL": f"{url}/api/",
        }

    def bearer(self) -> Code | None:
        """Return the person. GitHub also accepts the word "token" before an access token."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        return self.tokens.get(token) if kind.lower() in ("bearer", "token") else None


def answer_as_asked(values: dict[str, str]) -> Response:
    if "application/json" in request.headers.get("Accept", ""):
        return jsonify(values)
    return Response(urlencode(values), mimetype="application/x-www-form-urlencoded")


def blueprint(github: GitHub) -> Blueprint:
    routes = Blueprint("github", __name__, url_prefix="/github")
    routes.add_url_rule(
        "/login/oauth/authorize", "authorize", github.authorize, methods=["GET", "POST"]
    )

    add_profile(github, routes)
    add_revocation(github, routes)
    github.organisations.add_routes(routes)

    @routes.post("/login/oauth/access_token")
    def token() -> Response:
        bad = github.misbehave("token", github.of_form(request.form))
        if bad:
            return bad
        try:
            access_token, code = github.redeem(request.form)
        except Refusal as refusal:
            error = ERRORS.get(refusal.error, refusal.error)
            return answer_as_asked({"error": error, "error_description": refusal.description})
        values = {"access_token": access_token, "token_type": "bearer"}
        if code.behave == "token:form_encoded":
            return Response(urlencode(values), mimetype="application/x-www-form-urlencoded")
        return answer_as_asked({**values, "scope": ",".join(code.scopes)})

    return routes


def add_profile(github: GitHub, routes: Blueprint) -> None:
    @routes.get("/api/v3/user")
    @routes.get("/api/user")
    def user() -> Response | tuple[Response, int]:
        github.note("user")
        code = github.bearer()
        if not request.headers.get("User-Agent"):
            return jsonify(message="Request forbidden by administrative rules."), 403
        if code is None:
            return jsonify(message="Bad credentials"), 401
        bad = github.misbehave("profile", code)
        if bad:
            return bad
        person, number = code.person, int(code.person.subject("github", 8))
        return jsonify(
            {
                "login": person.username or f"user-{number}",
                "id": number,
                "avatar_url": f"https://avatars.githubusercontent.com/u/{number}?v=4",
                "name": person.name or None,
                "email": None,
                "type": "User",
            }
        )

    @routes.get("/api/v3/user/emails")
    @routes.get("/api/user/emails")
    def emails() -> Response | tuple[Response, int]:
        github.note("emails")
        code = github.bearer()
        if code is None or "user:email" not in code.scopes or code.behave == "emails:missing":
            return jsonify(message="Not Found"), 404
        bad = github.misbehave("emails", code)
        if bad:
            return bad
        person, number = code.person, code.person.subject("github", 8)
        hidden = f"{number}+{person.username}@users.noreply.github.com"
        rows = [{"email": hidden, "primary": person.email is None, "verified": True}]
        if person.email:
            verified = person.email_verified
            rows.append({"email": person.email, "primary": True, "verified": verified})
        return jsonify([{**row, "visibility": None} for row in rows])


def add_revocation(github: GitHub, routes: Blueprint) -> None:
    @routes.delete("/api/applications/<client_id>/grant")
    def revoke(client_id: str) -> Response | tuple[Response, int]:
        github.note("revoke")
        bad = github.misbehave("revoke", None)
        if bad:
            return bad
        credentials = request.authorization
        secret = (credentials and credentials.password) or ""
        if client_id != github.client.client_id or not github.is_secret(secret):
            return jsonify(message="Bad credentials"), 401
        if not github.revoke(request.get_json().get("access_token", "")):
            return jsonify(message="Not Found"), 404
        return Response(status=204)
