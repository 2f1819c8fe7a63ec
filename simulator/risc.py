"""Google's RISC API: the stream of a Cloud project, set up by a service account."""

import functools
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen
from uuid import uuid4

from flask import Blueprint, Response, jsonify, request
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from simulator.clients import Client

AUDIENCE = "https://risc.googleapis.com/google.identity.risc.v1beta.RiscManagementService"
VERIFICATION = "https://schemas.openid.net/secevent/risc/event-type/verification"
ACCOUNT = "quickstep@project.iam.gserviceaccount.com"
LIFETIME = 3600


class KeepsStream:
    """A part of the fake Google."""

    client: Client
    if TYPE_CHECKING:

        @property
        def events_issuer(self) -> str: ...
        def sign(self, claims: object, key: Any = None, **header: Any) -> str: ...

    stream: dict[str, Any] | None = None
    # For tests: the message of a 403 to everything.
    refuses_stream = ""

    @functools.cached_property
    def service_key(self) -> jwk.RSAKey:
        return jwk.RSAKey.generate_key(2048, auto_kid=True)

    def key_file(self) -> str:
        """Return the service account's key, as the console gives it."""
        pem = self.service_key.as_pem(private=True).decode()
        return json.dumps(
            {
                "type": "service_account",
                "client_email": ACCOUNT,
                "private_key_id": self.service_key.kid,
                "private_key": pem,
            }
        )

    def add_stream_routes(self, routes: Blueprint) -> None:
        for path, method, answer in (
            ("stream", "GET", self._show),
            ("stream:update", "POST", self._update),
            ("stream/status:update", "POST", self._change_status),
            ("stream:verify", "POST", self._verify),
        ):
            routes.add_url_rule(
                f"/v1beta/{path}", f"risc_{path}", self._guarded(answer), methods=[method]
            )

    def _guarded(self, answer: Any) -> Any:
        def guarded() -> Any:
            if not self._is_service_account():
                return _error(401, "Request had invalid authentication credentials.")
            if self.refuses_stream:
                return _error(403, self.refuses_stream)
            return answer()

        return guarded

    def _is_service_account(self) -> bool:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            said = jwt.decode(token, self.service_key, algorithms=["RS256"])
        except (JoseError, ValueError):
            return False
        claims, now = said.claims, time.time()
        is_theirs = claims["iss"] == claims["sub"] == ACCOUNT and claims["aud"] == AUDIENCE
        is_named = said.header["kid"] == self.service_key.kid
        lives = claims["exp"] - claims["iat"] == LIFETIME and claims["iat"] <= now < claims["exp"]
        return bool(is_theirs and is_named and lives)

    def _show(self) -> Any:
        return jsonify(self.stream) if self.stream else _error(404, "No stream.")

    def _update(self) -> Response:
        self.stream = {**request.get_json(), "status": "enabled"}
        return jsonify({})

    def _change_status(self) -> Any:
        if self.stream is None:
            return _error(404, "No stream.")
        self.stream["status"] = request.get_json()["status"]
        return jsonify({})

    def _verify(self) -> Any:
        if self.stream is None:
            return _error(404, "No stream.")
        claims = {
            "iss": self.events_issuer,
            "aud": self.client.client_id,
            "iat": int(time.time()),
            "jti": uuid4().hex,
            "events": {VERIFICATION: {"state": request.get_json()["state"]}},
        }
        if self.stream["status"] == "enabled":
            url, body = self.stream["delivery"]["url"], self.sign(claims).encode()
            headers = {"Content-Type": "application/secevent+jwt"}
            urlopen(Request(url, body, headers), timeout=10).close()
        return jsonify({})


def _error(code: int, message: str) -> tuple[Response, int]:
    return jsonify(error={"code": code, "message": message}), code
