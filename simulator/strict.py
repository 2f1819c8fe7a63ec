"""What strict issuers ask of their clients, such as banks: signed client assertions
(``private_key_jwt``, RFC 7523) and pushed authorization requests (RFC 9126).
"""

import json
import secrets
import time
from typing import Any, ClassVar

from flask import Response, jsonify, request
from joserfc import jwk, jws
from joserfc.errors import JoseError
from werkzeug.datastructures import ImmutableMultiDict

from simulator.protocol import LookAlike, Refusal
from simulator.signing import Claims

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PUSHED_SECONDS = 60
ASSERTION_MAX_SECONDS = 300


class StrictIssuer(LookAlike):
    """The parts of an issuer that tests enable."""

    par_path: ClassVar[str] = ""
    token_path: ClassVar[str]

    def be_lenient(self) -> None:
        """Ask for nothing special, as at first."""
        # The client's registered public key, and the algorithms that are accepted.
        self.client_key: jwk.Key | None = None
        self.assertion_algorithms: list[str] = ["RS256", "PS256", "ES256"]
        self.demands_pushed = False
        self.assertions: list[tuple[Claims, Claims]] = []
        self.pushed: dict[str, tuple[float, dict[str, str]]] = {}

    def strict_metadata(self) -> Claims:
        """RFC 8414 2, RFC 9126 5."""
        if not self.par_path:
            return {}
        return {
            "pushed_authorization_request_endpoint": self.url + self.par_path,
            "require_pushed_authorization_requests": self.demands_pushed,
            "token_endpoint_auth_signing_alg_values_supported": self.assertion_algorithms,
        }

    def authenticate(self, form: Any) -> None:
        if "private_key_jwt" not in self.client_auth or "client_assertion" not in form:
            super().authenticate(form)
            return
        if form.get("client_assertion_type") != ASSERTION_TYPE or "client_secret" in form:
            raise Refusal("invalid_client", "Not a client assertion of RFC 7523.")
        header, claims = self._verified(form["client_assertion"])
        fault = self._fault_of_assertion(claims)
        if fault:
            raise Refusal("invalid_client", fault)
        self.assertions.append((header, claims))

    def _verified(self, assertion: str) -> tuple[Claims, Claims]:
        assert self.client_key is not None, "the client has registered no key"
        try:
            token = jws.deserialize_compact(
                assertion, self.client_key, algorithms=self.assertion_algorithms
            )
            return dict(token.headers()), dict(jws_claims(token.payload))
        except (JoseError, ValueError) as error:
            raise Refusal("invalid_client", "The assertion's signature is wrong.") from error

    def _fault_of_assertion(self, claims: Claims) -> str:
        """RFC 7523 3: issuer and subject are the client, it is for us, short and used once."""
        now = time.time()
        if claims.get("iss") != self.client.client_id or claims.get("sub") != claims["iss"]:
            return "The assertion is of another client."
        if claims.get("aud") not in (self.url, self.url + self.token_path):
            return "The assertion is for another audience."
        if not now < claims.get("exp", 0) <= now + ASSERTION_MAX_SECONDS:
            return "The assertion has expired, or lives too long."
        if claims.get("jti") in [None, *(known["jti"] for _header, known in self.assertions)]:
            return "The assertion was used before."
        return ""

    def answer_pushed_request(self) -> Response | tuple[Response, int]:
        """RFC 9126 2.2."""
        self.note("par")
        if bad := self.misbehave("par", None):
            return bad
        form = request.form.to_dict()
        try:
            self.authenticate(form)
        except Refusal as refusal:
            return jsonify(error=refusal.error, error_description=refusal.description), 401
        if form.get("redirect_uri") not in self.client.redirect_uris:
            said = "The redirect URI is not registered."
            return jsonify(error="invalid_redirect_uri", error_description=said), 400
        request_uri = f"urn:ietf:params:oauth:request_uri:{secrets.token_urlsafe(16)}"
        own = {"client_id": self.client.client_id}
        self.pushed[request_uri] = (time.monotonic() + PUSHED_SECONDS, {**form, **own})
        return jsonify(request_uri=request_uri, expires_in=PUSHED_SECONDS), 201

    def take_pushed(self) -> str:
        """Continue with the request that was pushed; return a fault if there is none."""
        request_uri = request.args.get("request_uri", "")
        if not request_uri:
            return "Authorization requests must be pushed here." if self.demands_pushed else ""
        end, parameters = self.pushed.get(request_uri, (0.0, {}))
        if end < time.monotonic() or request.args.get("client_id") != self.client.client_id:
            return "The request_uri is unknown or expired."
        if request.method == "POST":
            del self.pushed[request_uri]
        request.args = ImmutableMultiDict(parameters)
        return ""


def jws_claims(payload: bytes | None) -> Claims:
    """Parse the claims of a verified token."""
    value = json.loads(payload or b"{}")
    return value if isinstance(value, dict) else {}
