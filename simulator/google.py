"""A fake Google: scopes named by URL, Workspace domains in the claim hd, RFC 9207."""

import time
from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator.clients import Client
from simulator.misbehaviour import OFFERED
from simulator.openid import OpenIDLookAlike
from simulator.people import PEOPLE
from simulator.protocol import Code
from simulator.risc import KeepsStream
from simulator.signing import ODD_CLAIMS, SPOILT_CLAIMS, SPOILT_SUBJECTS, Claims

GROUPS_SCOPE = "https://www.googleapis.com/auth/cloud-identity.groups.readonly"
GROUP_LABEL = "cloudidentity.googleapis.com/groups.discussion_forum"
SCOPE_URLS = {
    "email": "https://www.googleapis.com/auth/userinfo.email",
    "profile": "https://www.googleapis.com/auth/userinfo.profile",
}


class Google(KeepsStream, OpenIDLookAlike):
    name = "google"
    label = "Google"
    sends_iss = True
    authorize_path = "/o/oauth2/v2/auth"
    token_path = "/token"
    userinfo_path = "/v1/userinfo"
    keys_path = "/oauth2/v3/certs"
    revoke_path = "/revoke"

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        # For tests: the name that only userinfo has, and the groups of people, which an edition
        # without the search shows to nobody.
        self.userinfo_name = ""
        self.groups: dict[str, list[str]] = {}

    @classmethod
    def settings(cls, url: str) -> dict[str, str]:
        own = {
            "GOOGLE_RISC_CONFIGURATION_URL": f"{url}/.well-known/risc-configuration",
            "GOOGLE_RISC_API_URL": f"{url}/v1beta",
        }
        return {**super().settings(url), **own}

    @property
    def events_issuer(self) -> str:
        """Unlike in its ID tokens, with a slash."""
        return f"{self.url}/"

    def offered(self) -> dict[str, str]:
        """Leave out userinfo: the id_token has the profile, so a failure there goes unnoticed."""
        return {key: words for key, words in OFFERED.items() if not key.startswith("profile:")}

    def is_offline(self) -> bool:
        """Whether to send a refresh token: Google does so with a consent, not at every sign-in."""
        is_asked = "consent" in request.args.get("prompt", "").split()
        return is_asked and request.args.get("access_type") == "offline"

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
        person = code.person
        claims: Claims = {"name": person.name or self.userinfo_name}
        claims["picture"] = f"https://lh3.googleusercontent.com/a/{person.key}"
        if "email" in code.scopes and person.email:
            claims |= {"email": person.email, "email_verified": person.email_verified}
        claims |= {"hd": person.workspace} if person.workspace else {}
        return {name: value for name, value in claims.items() if value != ""}

    def routes(self) -> Blueprint:
        """Add the older userinfo, which some libraries still use; it says id instead of sub."""
        routes = super().routes()
        routes.add_url_rule("/oauth2/v3/userinfo", "userinfo_3", self.answer_userinfo)
        for version in ("v1", "v2"):
            path = f"/oauth2/{version}/userinfo"
            routes.add_url_rule(path, f"userinfo_{version}", self.answer_old_userinfo)
        path = "/v1/groups/-/memberships:searchTransitiveGroups"
        routes.add_url_rule(path, "search_groups", self.answer_groups)
        self.add_stream_routes(routes)
        return routes

    def answer_groups(self) -> Response | tuple[Response, int]:
        """Cloud Identity, whose list has one group on each page here."""
        self.note("groups")
        code = self.bearer()
        if code is None:
            return jsonify(error={"code": 401, "status": "UNAUTHENTICATED"}), 401
        asked = f"member_key_id == '{code.person.email}' && '{GROUP_LABEL}' in labels"
        is_theirs = request.args.get("query") == asked
        if GROUPS_SCOPE not in code.scopes or not is_theirs or not code.person.workspace:
            return jsonify(error={"code": 403, "status": "PERMISSION_DENIED"}), 403
        mine, page = self.groups.get(code.person.key, []), int(request.args["pageToken"] or "0")
        rows = [
            {"groupKey": {"id": address}, "relationType": "DIRECT"}
            for address in mine[page : page + 1]
        ]
        more = {"nextPageToken": str(page + 1)} if page + 1 < len(mine) else {}
        said = {"memberships": rows} if rows else {}
        return self.misbehave("groups", code) or jsonify({**said, **more})

    def answer_old_userinfo(self) -> Response | tuple[Response, int]:
        code = self.bearer()
        if code is None or code.behave.startswith(("profile:", "userinfo:")):
            return self.answer_userinfo()
        self.note("userinfo")
        said = {"id": self.subject(code.person), **self.in_userinfo(code)}
        if "email_verified" in said:
            said["verified_email"] = said.pop("email_verified")
        return jsonify(said)

    def native_token(
        self, person: str, *, audience: str = "", flaw: str = "", **changes: Any
    ) -> str:
        """Create an ID token as Google's SDKs give to an app, or One Tap to a page."""
        who = PEOPLE[person]
        client_id = audience or self.client.client_id
        now = int(time.time())
        claims: Claims = {
            "iss": self.url,
            "azp": client_id,
            "aud": client_id,
            "sub": who.subject("google", 21),
            "name": who.name,
            "picture": f"https://lh3.googleusercontent.com/a/{who.key}=s96-c",
            "iat": now,
            "exp": now + 3600,
        }
        if who.email:
            claims |= {"email": who.email, "email_verified": who.email_verified}
        claims |= changes
        change = (SPOILT_CLAIMS | SPOILT_SUBJECTS | ODD_CLAIMS).get(flaw)
        if change:
            return self.sign(change(claims))
        return (self.spoil(flaw, claims) or "") if flaw else self.sign(claims)

    def token_answer(self, code: Code, access_token: str) -> Claims:
        # Google names its scopes by URL, in an order of its own.
        scopes = sorted((SCOPE_URLS.get(scope, scope) for scope in code.scopes), reverse=True)
        return super().token_answer(code, access_token) | {"scope": " ".join(scopes)}
