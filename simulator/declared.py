"""A plain OAuth 2.0 provider that is driven by data: the differences between providers.

A row (rows.py) names a provider's paths, its profile responses (answers.py) and its quirks;
protocol.py enforces the protocol's rules.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from flask import Blueprint, Response, jsonify, request

from simulator import answers
from simulator.people import Person
from simulator.protocol import Code, LookAlike, Refusal

Answer = Callable[[Person, tuple[str, ...]], Any]
Answers = Mapping[str, Answer]


class Declared(LookAlike):
    """A row is a subclass that sets these attributes; paths are below ``/<name>/``.

    ``says`` maps each API path to the profile response for a person and the granted scopes. A key
    begins with "POST " if that is the method, and is "token" for additional members of the token
    response.
    """

    authorize_path: ClassVar[str]
    token_path: ClassVar[str]
    api_path: ClassVar[str]
    says: ClassVar[Answers] = {}
    # The revocation path, if there is one; prefixed with "person " if the access token authorizes
    # it.
    revoke_path: ClassVar[str] = ""
    # Required parameters of the authorization request.
    must_say: ClassVar[Mapping[str, str]] = {}
    # The word before the access token.
    scheme: ClassVar[str] = "Bearer"
    # Whether the token request is JSON, must repeat the state, and gets its errors as 200.
    takes_json: ClassVar[bool] = False
    takes_state: ClassVar[bool] = False
    errors_as_200: ClassVar[bool] = False
    # Whether library default User-Agents are refused.
    wants_user_agent: ClassVar[bool] = False

    @classmethod
    def settings(cls, url: str) -> dict[str, str]:
        upper = cls.name.upper()
        return {
            f"{upper}_AUTHORIZATION_URL": f"{url}/{cls.authorize_path}",
            f"{upper}_TOKEN_URL": f"{url}/{cls.token_path}",
            f"{upper}_API_URL": f"{url}/{cls.api_path}",
        }

    def routes(self) -> Blueprint:
        routes = Blueprint(self.name, __name__, url_prefix=f"/{self.name}")
        authorize = f"/{self.authorize_path}"
        routes.add_url_rule(authorize, "authorize", self.authorize, methods=["GET", "POST"])
        routes.add_url_rule(f"/{self.token_path}", "token", self.token, methods=["POST"])
        if self.revoke_path:
            path = f"/{self.revoke_path.rpartition(' ')[2]}"
            routes.add_url_rule(path, "revoke", self.take_back, methods=["POST"])
        for key, answer in self.says.items():
            if key == "token":
                continue
            method, _, path = key.partition("?")[0].rpartition(" ")
            where = "emails" if path.endswith("/emails") else "profile"
            rule, view = f"/{self.api_path}{path}", self._view(where, answer)
            routes.add_url_rule(rule, where, view, methods=[method or "GET"])
        return routes

    def _fault_of_request(self) -> str | None:
        for name, value in self.must_say.items():
            if request.args.get(name) != value:
                return f"{name} must be {value}."
        if request.args.get("scope") == "":
            return "scope is empty."
        return super()._fault_of_request()

    def token(self) -> Response | tuple[Response, int]:
        form = (request.get_json(silent=True) or {}) if self.takes_json else request.form
        bad = self.misbehave("token", self.of_form(form))
        if bad:
            return bad
        try:
            self._check_manners(form)
            access_token, code = self.redeem(form)
        except Refusal as refusal:
            error = {"error": refusal.error, "error_description": refusal.description}
            status = 401 if refusal.error == "invalid_client" else 400
            return jsonify(error), 200 if self.errors_as_200 else status
        tell: Answer = self.says.get("token", answers.token)
        said = tell(code.person, code.scopes)
        return jsonify({"access_token": access_token, "token_type": "bearer", **said})

    def take_back(self) -> Response | tuple[Response, int]:
        """Revoke as in RFC 7009 2.1, or with only the access token."""
        self.note("revoke")
        if self.revoke_path.startswith("person "):
            given = request.headers.get("Authorization", "").partition(" ")[2]
            return jsonify(None) if self.revoke(given) else (jsonify(error="invalid_token"), 401)
        try:
            self.authenticate(request.form)
        except Refusal as refusal:
            return jsonify(error=refusal.error), 401
        self.revoke(request.form.get("token", ""))
        return jsonify({})

    def _check_manners(self, form: Any) -> None:
        if self.wants_user_agent and not self._has_user_agent():
            raise Refusal("too_many_requests")
        if self.takes_state and not form.get("state"):
            raise Refusal("invalid_request", "state is missing.")

    def _has_user_agent(self) -> bool:
        return self.client.client_id in request.headers.get("User-Agent", "")

    def _view(self, where: str, answer: Answer) -> Callable[[], Any]:
        def view() -> Any:
            self.note(where)
            code = self.bearer()
            if code is None:
                return jsonify(error="invalid_token"), 401
            if self.wants_user_agent and not self._has_user_agent():
                return jsonify(error=429, message="Too Many Requests"), 429
            if request.get_data():
                return jsonify(error="There is a body where none belongs."), 400
            said = answer(code.person, code.scopes)
            return self.misbehave(where, code) or jsonify(said)

        return view

    def bearer(self) -> Code | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return self.tokens.get(token) if scheme == self.scheme else None
