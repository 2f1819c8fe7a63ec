"""A fake Apple: a client secret signed by the client, a response by POST, the name on the first
visit only, flags as text, relay addresses.
"""

import functools
import hashlib
import json
import time
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from flask import Response, render_template, request
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from simulator.clients import Client
from simulator.handles import Endpoints
from simulator.openid import OpenIDLookAlike
from simulator.protocol import Code
from simulator.signing import Claims

TEAM_ID = "LOOKALIKE1"
KEY_ID = "ALIKEKEY01"
RELAY = "@privaterelay.appleid.com"
# Apple's six months.
SECRET_MAX_SECONDS = 15777000


@functools.cache
def registered_key() -> ec.EllipticCurvePrivateKey:
    """Return the key of the .p8 file: fixed, the same in every process, and worthless."""
    seed = hashlib.sha256(b"the look-alike of Apple").digest()
    return ec.derive_private_key(int.from_bytes(seed, "big"), ec.SECP256R1())


def key_file() -> str:
    """Return the file that Apple's console offers for download once: PKCS #8 in PEM."""
    pem = registered_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem.decode()


class Apple(OpenIDLookAlike):
    """A fake Apple. ``strict``: redirect URIs must be https on a real domain, as Apple requires."""

    name = "apple"
    label = "Apple"
    pkce = False
    client_auth = ("post",)
    always_tells_auth_time = True
    authorize_path = "/auth/authorize"
    token_path = "/auth/token"
    keys_path = "/auth/keys"
    revoke_path = "/auth/revoke"

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.strict = False
        # Returning people: their name is not sent again.
        self.known: set[str] = set()
        self.audience = "https://appleid.apple.com"

    @classmethod
    def credentials(cls, client: Client) -> dict[str, str]:
        return {
            "APPLE_CLIENT_ID": client.client_id,
            "APPLE_TEAM_ID": TEAM_ID,
            "APPLE_KEY_ID": KEY_ID,
            "APPLE_PRIVATE_KEY": key_file(),
        }

    @property
    def client_secret(self) -> str:
        """Sign a client secret as Apple's customers do with their key file."""
        now = int(time.time())
        claims = {"iss": TEAM_ID, "sub": self.client_id, "aud": self.audience, "iat": now}
        key = jwk.ECKey.import_key(registered_key())
        header = {"alg": "ES256", "kid": KEY_ID}
        return jwt.encode(header, claims | {"exp": now + 3600}, key)

    @property
    def endpoints(self) -> Endpoints:
        return replace(super().endpoints, userinfo="")

    def metadata(self) -> Claims:
        return {
            name: value for name, value in super().metadata().items() if name != "userinfo_endpoint"
        }

    # The authorization endpoint.

    def _fault_to_show(self) -> str | None:
        redirect_uri = request.args.get("redirect_uri", "")
        if self.strict and not redirect_uri.startswith("https://"):
            return "Invalid web redirect url."
        return super()._fault_to_show()

    def _fault_of_request(self) -> str | None:
        if b"+" in request.query_string:
            return "invalid_scope: spaces must be written as %20."
        if set(self.requested_scopes()) & {"name", "email"} and self.mode != "form_post":
            return "response_mode must be form_post when name or email scope is requested."
        return super()._fault_of_request()

    @property
    def mode(self) -> str:
        return request.args.get("response_mode", "query")

    def cancelled(self) -> dict[str, str]:
        return {"error": "user_cancelled_authorize"}

    def callback(self, parameters: dict[str, str], behave: str = "") -> Response:
        """Send the response by POST, from a page of Apple's."""
        fields = dict(self.with_state(parameters, behave))
        code = self.codes.get(parameters.get("code", ""))
        if code and "name" in code.scopes and code.person.key not in self.known:
            self.known.add(code.person.key)
            fields["user"] = self.user_field(code)
        page = render_template(
            "form_post.html", provider=self, action=request.args["redirect_uri"], fields=fields
        )
        return Response(page)

    def user_field(self, code: Code) -> str:
        first, _, last = code.person.name.partition(" ")
        user = {"name": {"firstName": first, "lastName": last}, "email": self.address(code)}
        return json.dumps(user)

    def address(self, code: Code) -> str:
        """Return the person's address, or a relay address if they hide theirs."""
        return code.person.email or code.person.subject(self.name, 10) + RELAY

    # The token endpoint.

    def is_secret(self, client_secret: str) -> bool:
        """https://developer.apple.com/documentation/accountorganizationaldatasharing/creating-a-client-secret"""
        try:
            key = jwk.ECKey.import_key(registered_key().public_key())
            token = jwt.decode(client_secret, key, algorithms=["ES256"])
        except (JoseError, ValueError):
            return False
        claims, now = token.claims, time.time()
        lives = (
            isinstance(claims.get("exp"), int) and now < claims["exp"] < now + SECRET_MAX_SECONDS
        )
        return bool(
            token.header.get("kid") == KEY_ID
            and claims.get("iss") == TEAM_ID
            and claims.get("sub") == self.client.client_id
            and claims.get("aud") == self.audience
            and isinstance(claims.get("iat"), int)
            and claims["iat"] <= now + 1
            and lives
        )

    # Claims about people.

    def subject(self, person: Any) -> str:
        digits = hashlib.sha256(f"apple:{person.key}".encode()).hexdigest()
        return f"001122.{digits[:32]}.0911"

    def in_id_token(self, code: Code) -> Claims:
        claims: Claims = {"nonce_supported": True}
        if "email" in code.scopes:
            verified = code.person.email_verified if code.person.email else True
            claims |= {"email": self.address(code), "email_verified": str(verified).lower()}
            claims["is_private_email"] = str(code.person.email is None).lower()
        return claims

    def claims(self, code: Code, access_token: str) -> Claims:
        # Apple authenticates at every visit, by password, face or finger.
        claims = super().claims(code, access_token)
        return claims | {"auth_time": claims["iat"]}

    def token_answer(self, code: Code, access_token: str) -> Claims:
        answer = super().token_answer(code, access_token)
        return {name: value for name, value in answer.items() if name != "scope"}
