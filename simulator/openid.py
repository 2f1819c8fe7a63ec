"""The base of all fake OpenID Connect providers: discovery, a key set, signed id_tokens, userinfo.

People signed in at the provider an hour ago and are not asked again, unless the request says so
(OpenID Connect Core 3.1.2.1: prompt=login, max_age=0).
"""

import time
from collections.abc import Callable
from typing import Any, ClassVar

from flask import Blueprint, Response, jsonify, render_template, request

from simulator.clients import Client
from simulator.events import SendsEvents
from simulator.handles import Endpoints
from simulator.misbehaviour import ANSWERS
from simulator.people import Person
from simulator.protocol import Code, LookAlike, Refusal
from simulator.signing import (
    ODD_CLAIMS,
    SPOILT_CLAIMS,
    SPOILT_PROOFS,
    SPOILT_SUBJECTS,
    SPOILT_TOKENS,
    Claims,
    Signer,
)
from simulator.strict import StrictIssuer

# Names of client authentication in metadata; those of a secret begin with client_secret.
METHODS = {"none": "none", "private_key_jwt": "private_key_jwt"}
SIGNED_IN_SECONDS_AGO = 3600
ID_TOKEN_SECONDS = 3600


class OpenIDLookAlike(Signer, SendsEvents, StrictIssuer):
    """The paths of a fake provider are those of the real one, below its issuer."""

    client_auth: ClassVar[tuple[str, ...]] = ("post", "basic")
    discovery_path: ClassVar[str] = "/.well-known/openid-configuration"
    authorize_path: ClassVar[str] = "/authorize"
    token_path: ClassVar[str] = "/token"
    userinfo_path: ClassVar[str] = "/userinfo"
    keys_path: ClassVar[str] = "/keys"
    # RFC 7009, if it has such an endpoint.
    revoke_path: ClassVar[str] = ""
    subject_digits: ClassVar[int] = 21
    # Whether its id_tokens describe the person, or only userinfo does.
    tells_in_id_token: ClassVar[bool] = True
    # Whether it always sends auth_time, or only for max_age.
    always_tells_auth_time: ClassVar[bool] = False
    # Whether it sends the callback parameter iss (RFC 9207).
    sends_iss: ClassVar[bool] = False
    own_faults: ClassVar[tuple[str, ...]] = ("userinfo:other_sub", "userinfo:jwt")

    def __init__(self, client: Client) -> None:
        LookAlike.__init__(self, client)
        Signer.__init__(self, self.name)
        self.be_lenient()
        # For tests: replacements for metadata and key set, and changes of the metadata.
        self.metadata_answer = ""
        self.metadata_changes: dict[str, Any] = {}
        self.certs_answer = ""
        # … the rows of its key set, made from the row of its key …
        self.key_rows: Callable[[Claims], list[Claims]] = lambda row: [row]
        # … and the flaws of id_tokens that come with refreshed access tokens.
        self.refreshed_claims: Claims = {}
        # … and changes of a signed userinfo response, and how it is signed.
        self.userinfo_claims: Claims = {}
        self.userinfo_jwt: Callable[[Claims], str] = self.sign
        # … and further claims of a person, by the place that says them and the person's key.
        self.told: dict[tuple[str, str], Claims] = {}

    @classmethod
    def settings(cls, url: str) -> dict[str, str]:
        return {f"{cls.name.upper()}_ISSUER": url}

    def routes(self) -> Blueprint:
        return blueprint(self)

    @property
    def flaws(self) -> tuple[str, ...]:
        return (*SPOILT_CLAIMS, *SPOILT_SUBJECTS, *SPOILT_PROOFS, *SPOILT_TOKENS)

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints(
            authorization=self.url + self.authorize_path,
            token=self.url + self.token_path,
            userinfo=self.url + self.userinfo_path,
            issuer=self.url,
            metadata=self.url + self.discovery_path,
            jwks=self.url + self.keys_path,
        )

    # Its metadata and claims.

    def metadata(self) -> Claims:
        """OpenID Connect Discovery 3."""
        methods = [METHODS.get(each, f"client_secret_{each}") for each in self.offers]
        return {
            "issuer": self.url,
            "authorization_endpoint": self.url + self.authorize_path,
            "token_endpoint": self.url + self.token_path,
            "userinfo_endpoint": self.url + self.userinfo_path,
            "jwks_uri": self.url + self.keys_path,
            "token_endpoint_auth_methods_supported": methods,
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [self.algorithm],
            "authorization_response_iss_parameter_supported": self.sends_iss,
            **({"code_challenge_methods_supported": ["S256"]} if self.pkce else {}),
            **self.strict_metadata(),
            **({"revocation_endpoint": self.url + self.revoke_path} if self.revoke_path else {}),
        }

    @property
    def offers(self) -> tuple[str, ...]:
        """Return the client authentication methods that its metadata list."""
        return self.client_auth

    def key_set(self) -> Claims:
        """RFC 7517."""
        public = self.key.as_dict(private=False, use="sig", alg=self.algorithm)
        return {"keys": self.key_rows(public)}

    def subject(self, person: Person) -> str:
        return person.subject(self.name, self.subject_digits)

    def issuer_of(self, _code: Code) -> str:
        return self.url

    def about(self, code: Code) -> Claims:
        """Return the standard claims (OpenID Connect Core 5.1) for the scopes."""
        person, claims = code.person, Claims()
        if "profile" in code.scopes:
            claims = {"name": person.name, "preferred_username": person.username}
            claims["picture"] = f"https://pictures.example/{person.key}.png"
        if "email" in code.scopes and person.email:
            claims |= {"email": person.email, "email_verified": person.email_verified}
        return {name: value for name, value in claims.items() if value not in (None, "")}

    def in_id_token(self, code: Code) -> Claims:
        return self.about(code) if self.tells_in_id_token else {}

    def in_userinfo(self, code: Code) -> Claims:
        return self.about(code)

    def extras(self) -> dict[str, str]:
        return {"iss": self.url} if self.sends_iss else {}

    # The id_token.

    def claims(self, code: Code, access_token: str) -> Claims:
        now = int(time.time())
        claims: Claims = {
            "iss": self.issuer_of(code),
            "aud": self.client.client_id,
            "sub": self.subject(code.person),
            "at_hash": self.at_hash(access_token),
            "iat": now,
            "exp": now + ID_TOKEN_SECONDS,
            **({"nonce": code.nonce} if code.nonce else {}),
            **self.in_id_token(code),
            **self.told.get(("id_token", code.person.key), {}),
        }
        if self.always_tells_auth_time or "max_age" in code.asked:
            asks = (
                "login" in code.asked.get("prompt", "").split() or code.asked.get("max_age") == "0"
            )
            claims["auth_time"] = now - (0 if asks else SIGNED_IN_SECONDS_AGO)
        return claims

    def id_token(self, code: Code, access_token: str) -> str | None:
        claims = self.claims(code, access_token)
        place, _, flaw = code.behave.partition(":")
        if place != "id_token":
            return self.sign(claims)
        change = (SPOILT_CLAIMS | SPOILT_SUBJECTS | SPOILT_PROOFS | ODD_CLAIMS).get(flaw)
        return self.sign(change(claims)) if change else self.spoil(flaw, claims)

    # Responses of its endpoints.

    def token_answer(self, code: Code, access_token: str) -> Claims:
        answer: Claims = {
            "access_token": access_token,
            "expires_in": 3599,
            "scope": " ".join(code.scopes),
            "token_type": "Bearer",
        }
        id_token = self.id_token(code, access_token)
        return answer if id_token is None else {**answer, "id_token": id_token}

    def refuse(self, refusal: Refusal) -> tuple[Response, int]:
        """RFC 6749 5.2."""
        status = 401 if refusal.error == "invalid_client" else 400
        return jsonify(error=refusal.error, error_description=refusal.description), status

    def answer_token_request(self) -> Response | tuple[Response, int]:
        if request.form.get("grant_type") == "refresh_token":
            return self.answer_refresh_request()
        bad = self.misbehave("token", self.of_form(request.form))
        if bad:
            self.note("token")
            return bad
        try:
            access_token, code = self.redeem(request.form)
        except Refusal as refusal:
            return self.refuse(refusal)
        return jsonify(self.token_answer(code, access_token) | self.refresh_token(code))

    def answer_refresh_request(self) -> Response | tuple[Response, int]:
        """Answer a refresh request (RFC 6749 6); the id_token has no nonce (OpenID Connect Core
        12.2)."""
        bad = self.misbehave("refresh", None)
        if bad:
            self.note("refresh")
            return bad
        try:
            access_token, code, following = self.refresh(request.form)
        except Refusal as refusal:
            return self.refuse(refusal)
        claims = self.claims(code, access_token) | self.refreshed_claims
        claims.pop("nonce", None)
        answer = self.token_answer(code, access_token) | {"id_token": self.sign(claims)}
        return jsonify(answer | following)

    def answer_revocation(self) -> Response | tuple[Response, int]:
        self.note("revoke")
        bad = self.misbehave("revoke", None)
        if bad:
            return bad
        try:
            self.authenticate(request.form)
        except Refusal as refusal:
            return self.refuse(refusal)
        # RFC 7009 2.2 reports success for an unknown token; Google reports an error.
        if not self.revoke(request.form.get("token", "")):
            return jsonify(error="invalid_token", error_description="Token expired or revoked"), 400
        return jsonify({})

    def answer_userinfo(self) -> Response | tuple[Response, int]:
        self.note("userinfo")
        code = self.bearer()
        if code is None:
            return jsonify(error="invalid_token"), 401
        bad = self.misbehave("profile", code)
        if bad:
            return bad
        subject = "1" if code.behave == "userinfo:other_sub" else self.subject(code.person)
        told = self.told.get(("userinfo", code.person.key), {})
        claims = {"sub": subject, **self.in_userinfo(code), **told}
        if code.behave == "userinfo:jwt":
            claims |= {"iss": self.url, "aud": self.client.client_id, **self.userinfo_claims}
            return Response(self.userinfo_jwt(claims), mimetype="application/jwt")
        return jsonify(claims)


def blueprint(look_alike: OpenIDLookAlike) -> Blueprint:
    """Build its endpoints; ``where`` holds the path variables if it has several issuers."""
    routes = Blueprint(look_alike.name, __name__, url_prefix=f"/{look_alike.name}")
    add = routes.add_url_rule

    def metadata(**_where: str) -> Response:
        look_alike.note("metadata")
        if look_alike.metadata_answer:
            return ANSWERS[look_alike.metadata_answer]()
        return jsonify({**look_alike.metadata(), **look_alike.metadata_changes})

    def keys(**_where: str) -> Response:
        look_alike.note("certs")
        if look_alike.certs_answer:
            return ANSWERS[look_alike.certs_answer]()
        return jsonify(look_alike.key_set())

    def authorize(**_where: str) -> Any:
        if fault := look_alike.take_pushed():
            return render_template("refused.html", provider=look_alike, fault=fault), 400
        return look_alike.authorize()

    def token(**_where: str) -> Any:
        return look_alike.answer_token_request()

    def userinfo(**_where: str) -> Any:
        return look_alike.answer_userinfo()

    for name in ("risc", "ssf"):
        add(f"/.well-known/{name}-configuration", name, look_alike.events_configuration)
    add(look_alike.discovery_path, "metadata", metadata)
    add(look_alike.keys_path, "keys", keys)
    add(look_alike.authorize_path, "authorize", authorize, methods=["GET", "POST"])
    add(look_alike.token_path, "token", token, methods=["POST"])
    add(look_alike.userinfo_path, "userinfo", userinfo, methods=["GET"])
    if look_alike.par_path:
        add(look_alike.par_path, "par", look_alike.answer_pushed_request, methods=["POST"])
    if look_alike.revoke_path:
        add(look_alike.revoke_path, "revoke", look_alike.answer_revocation, methods=["POST"])
    return routes
