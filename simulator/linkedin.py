"""A fake LinkedIn: no nonce in its id_token, 401 for a code verifier, comma-joined scopes, and
error codes of its own when the person refuses.
"""

from typing import Any

from simulator.openid import OpenIDLookAlike
from simulator.protocol import Code, Refusal
from simulator.signing import Claims


class LinkedIn(OpenIDLookAlike):
    name = "linkedin"
    label = "LinkedIn"
    pkce = False
    client_auth = ("post",)
    authorize_path = "/oauth/v2/authorization"
    token_path = "/oauth/v2/accessToken"
    userinfo_path = "/v2/userinfo"
    keys_path = "/oauth/openid/jwks"

    @classmethod
    def settings(cls, url: str) -> dict[str, str]:
        return {
            "LINKEDIN_AUTHORIZATION_URL": url + cls.authorize_path,
            "LINKEDIN_TOKEN_URL": url + cls.token_path,
            "LINKEDIN_API_URL": f"{url}/v2/",
        }

    def cancelled(self) -> dict[str, str]:
        return {"error": "user_cancelled_login", "error_description": "The user cancelled."}

    def authenticate(self, form: Any) -> None:
        if "code_verifier" in form:
            raise Refusal("invalid_client", "Client authentication failed")
        super().authenticate(form)

    def claims(self, code: Code, access_token: str) -> Claims:
        claims = super().claims(code, access_token)
        return {name: value for name, value in claims.items() if name != "nonce"}

    def in_userinfo(self, code: Code) -> Claims:
        claims = self.about(code)
        # The flag is present only if it is true.
        kept = {name: value for name, value in claims.items() if value is not False}
        return {**kept, "locale": {"country": "BR", "language": "pt"}}

    def token_answer(self, code: Code, access_token: str) -> Claims:
        scope = ",".join(sorted(code.scopes))
        return super().token_answer(code, access_token) | {"scope": scope}
