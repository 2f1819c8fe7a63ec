"""Fake OpenID Connect providers that differ little from the standard."""

from flask import Response, jsonify

from simulator.openid import OpenIDLookAlike
from simulator.people import Person
from simulator.protocol import Code, Refusal
from simulator.signing import Claims
from simulator.subscriptions import KeepsSubscriptions


class GitLab(OpenIDLookAlike):
    """A fake GitLab, self-hosted: the instance decides whether addresses are confirmed."""

    name = "gitlab"
    label = "GitLab"
    client_auth = ("post", "basic")
    always_tells_auth_time = True
    subject_digits = 5
    authorize_path = "/oauth/authorize"
    token_path = "/oauth/token"
    userinfo_path = "/oauth/userinfo"
    keys_path = "/oauth/discovery/keys"
    revoke_path = "/oauth/revoke"


class Slack(OpenIDLookAlike):
    """A fake Slack: every response is a 200 with ``ok``; a person has an id per workspace."""

    name = "slack"
    label = "Slack"
    pkce = False
    client_auth = ("post",)
    tells_in_id_token = False
    authorize_path = "/openid/connect/authorize"
    token_path = "/api/openid.connect.token"
    userinfo_path = "/api/openid.connect.userInfo"
    keys_path = "/openid/connect/keys"

    def subject(self, person: Person) -> str:
        return f"U{person.subject('slack', 8)}"

    def in_userinfo(self, code: Code) -> Claims:
        team = code.person.workspace or "studio.example"
        return {
            "ok": True,
            "https://slack.com/user_id": self.subject(code.person),
            "https://slack.com/team_id": f"T{sum(team.encode()):08}",
            "https://slack.com/team_name": team,
            **self.about(code),
        }

    def token_answer(self, code: Code, access_token: str) -> Claims:
        answer = super().token_answer(code, access_token)
        kept = ("access_token", "token_type", "id_token")
        return {"ok": True, **{name: answer[name] for name in kept if name in answer}}

    def refuse(self, refusal: Refusal) -> tuple[Response, int]:
        return jsonify(ok=False, error=refusal.error), 200


class Yahoo(OpenIDLookAlike):
    """A fake Yahoo: the profile is in userinfo only, and the secret is taken in a header only."""

    name = "yahoo"
    label = "Yahoo"
    pkce = False
    client_auth = ("basic",)
    tells_in_id_token = False
    authorize_path = "/oauth2/request_auth"
    token_path = "/oauth2/get_token"
    userinfo_path = "/openid/v1/userinfo"
    keys_path = "/openid/v1/certs"

    def in_userinfo(self, code: Code) -> Claims:
        claims = self.about(code)
        nickname = claims.pop("preferred_username", None)
        return {**claims, **({"nickname": nickname} if nickname else {})}


class Twitch(KeepsSubscriptions, OpenIDLookAlike):
    """A fake Twitch: sends only what the parameter ``claims`` asks for; its scopes are a list."""

    name = "twitch"
    label = "Twitch"
    pkce = False
    client_auth = ("post",)
    tells_in_id_token = False
    subject_digits = 9
    revoke_path = "/revoke"

    def in_userinfo(self, code: Code) -> Claims:
        person, asked = code.person, code.asked.get("claims", "")
        claims: Claims = {
            "preferred_username": person.username or f"user{self.subject(person)}",
            "picture": f"https://static-cdn.jtvnw.net/{person.key}.png",
        }
        if person.email and "user:read:email" in code.scopes:
            claims |= {"email": person.email, "email_verified": person.email_verified}
        return {name: value for name, value in claims.items() if f'"{name}"' in asked}

    def token_answer(self, code: Code, access_token: str) -> Claims:
        return super().token_answer(code, access_token) | {"scope": list(code.scopes)}


class Salesforce(OpenIDLookAlike):
    """A fake Salesforce: the subject is a URL with organisation and user; userinfo has both."""

    name = "salesforce"
    label = "Salesforce"
    client_auth = ("post",)
    tells_in_id_token = False
    always_tells_auth_time = True
    authorize_path = "/services/oauth2/authorize"
    token_path = "/services/oauth2/token"
    userinfo_path = "/services/oauth2/userinfo"
    keys_path = "/id/keys"
    revoke_path = "/services/oauth2/revoke"

    def ids(self, person: Person) -> tuple[str, str]:
        return "00Dxx0000001gPLEAY", f"005{person.subject('salesforce', 15)}"

    def subject(self, person: Person) -> str:
        return f"{self.url}/id/{'/'.join(self.ids(person))}"

    def in_userinfo(self, code: Code) -> Claims:
        organization, user = self.ids(code.person)
        return {
            "organization_id": organization,
            "user_id": user,
            **self.about(code),
            "preferred_username": f"{code.person.key}@acme.example.crm",
            "photos": {"thumbnail": f"https://acme.content.force.com/{code.person.key}/T"},
        }


class ORCID(OpenIDLookAlike):
    """A fake ORCID: sends a number and a name, no address; repeats them in the token response."""

    name = "orcid"
    label = "ORCID"
    pkce = False
    client_auth = ("post",)
    authorize_path = "/oauth/authorize"
    token_path = "/oauth/token"
    userinfo_path = "/oauth/userinfo"
    keys_path = "/oauth/jwks"

    def subject(self, person: Person) -> str:
        digits = person.subject("orcid", 16)
        return "-".join(digits[start : start + 4] for start in range(0, 16, 4))

    def about(self, code: Code) -> Claims:
        first, _, last = code.person.name.partition(" ")
        names = {"given_name": first, "family_name": last}
        return {name: value for name, value in names.items() if value}

    def token_answer(self, code: Code, access_token: str) -> Claims:
        answer = super().token_answer(code, access_token)
        return {**answer, "name": code.person.name, "orcid": self.subject(code.person)}
