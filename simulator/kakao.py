"""A fake Kakao: numeric ids, an account nested in objects, addresses with two flags."""

import functools
from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator.protocol import LookAlike, Refusal
from simulator.signing import Signer


class Kakao(LookAlike):
    name = "kakao"
    label = "Kakao"
    pkce = False
    own_faults = ("email:recycled",)

    def routes(self) -> Blueprint:
        return blueprint(self)

    @classmethod
    def settings(cls, url: str) -> dict[str, str]:
        return {
            "KAKAO_AUTHORIZATION_URL": f"{url}/oauth/authorize",
            "KAKAO_TOKEN_URL": f"{url}/oauth/token",
            "KAKAO_API_URL": f"{url}/",
            "KAKAO_SSE_CONFIGURATION_URL": f"{url}/.well-known/sse-configuration",
        }

    @functools.cached_property
    def signer(self) -> Signer:
        """The key of its security events."""
        return Signer("kakao")


def blueprint(kakao: Kakao) -> Blueprint:
    routes = Blueprint("kakao", __name__, url_prefix="/kakao")
    routes.add_url_rule("/oauth/authorize", "authorize", kakao.authorize, methods=["GET", "POST"])

    @routes.post("/oauth/token")
    def token() -> Response | tuple[Response, int]:
        bad = kakao.misbehave("token", kakao.of_form(request.form))
        if bad:
            return bad
        try:
            access_token, code = kakao.redeem(request.form)
        except Refusal as refusal:
            status = 401 if refusal.error == "invalid_client" else 400
            return jsonify(error=refusal.error, error_code="KOE320"), status
        return jsonify(
            token_type="bearer",
            access_token=access_token,
            expires_in=21599,
            refresh_token="never-used",
            scope=" ".join(sorted(code.scopes)),
        )

    @routes.post("/v1/user/unlink")
    def unlink() -> Response | tuple[Response, int]:
        kakao.note("revoke")
        given = request.headers.get("Authorization", "").partition(" ")[2]
        if not kakao.revoke(given):
            return jsonify(msg="this access token does not exist", code=-401), 401
        return jsonify(id=1)

    @routes.get("/v2/user/me")
    def me() -> Response | tuple[Response, int]:
        kakao.note("me")
        code = kakao.bearer()
        if code is None:
            return jsonify(msg="this access token does not exist", code=-401), 401
        bad = kakao.misbehave("profile", code)
        if bad:
            return bad
        person, account = code.person, dict[str, Any]()
        if "profile_nickname" in code.scopes:
            account["profile"] = {"nickname": person.name, "is_default_image": True}
        if "account_email" in code.scopes:
            account |= {"has_email": person.email is not None, "email_needs_agreement": False}
        if "account_email" in code.scopes and person.email:
            account |= {"email": person.email, "is_email_verified": person.email_verified}
            # Another person may own the address by now.
            account["is_email_valid"] = code.behave != "email:recycled"
        return jsonify(id=int(person.subject("kakao", 10)), kakao_account=account)

    @routes.get("/.well-known/sse-configuration")
    def configuration() -> Response:
        return jsonify(issuer=kakao.url, jwks_uri=f"{kakao.url}/.well-known/jwks.json")

    @routes.get("/.well-known/jwks.json")
    def keys() -> Response:
        return jsonify(keys=[kakao.signer.key.as_dict(private=False, use="sig", alg="RS256")])

    return routes
