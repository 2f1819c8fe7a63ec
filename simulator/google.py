"""A look-alike of Google: scopes named by URL, Workspace domains in the claim hd, RFC 9207."""

from simulator.openid import OpenIDLookAlike
from simulator.protocol import Code
from simulator.signing import Claims

SCOPE_URLS = {
    "email": "https://www.googleapis.com/auth/userinfo.email",
    "profile": "https://www.googleapis.com/auth/userinfo.profile",
}


class Google(OpenIDLookAlike):
    name = "google"
    label = "Google"
    sends_iss = True
    authorize_path = "/o/oauth2/v2/auth"
    token_path = "/token"
    userinfo_path = "/v1/userinfo"
    keys_path = "/oauth2/v3/certs"

    def extras(self) -> dict[str, str]:
        return {"iss": self.url, "scope": " ".join(self.requested_scopes()), "authuser": "0"}

    def in_id_token(self, code: Code) -> Claims:
        person = code.person
        claims: Claims = {"azp": self.client.client_id}
        if "profile" in code.scopes:
            claims["name"] = person.name
            claims["picture"] = f"https://lh3.googleusercontent.com/a/{person.key}=s96-c"
        if "email" in code.scopes and person.email:
            claims |= {"email": person.email, "email_verified": person.email_verified}
        if person.workspace:
            claims["hd"] = person.workspace
        return {name: value for name, value in claims.items() if value != ""}

    def in_userinfo(self, code: Code) -> Claims:
        picture = f"https://lh3.googleusercontent.com/a/{code.person.key}"
        return {"name": code.person.name or "From userinfo", "picture": picture}

    def token_answer(self, code: Code, access_token: str) -> Claims:
        # Google names its scopes by URL, and in an order of its own.
        scopes = sorted((SCOPE_URLS.get(scope, scope) for scope in code.scopes), reverse=True)
        return super().token_answer(code, access_token) | {"scope": " ".join(scopes)}
