"""A fake Microsoft: many tenants behind one address, each an issuer of its own that signs with the
same keys; any tenant's administrator can invent addresses.
"""

from uuid import UUID

from flask import Blueprint, Response, jsonify, render_template, request

from simulator.clients import Client
from simulator.handles import Endpoints
from simulator.openid import OpenIDLookAlike
from simulator.people import PEOPLE, Person
from simulator.protocol import Code
from simulator.signing import Claims

# By the domain of a person's employer; everybody else has a personal account.
TENANTS = {
    "navy.example": "5f0c1d2e-1111-4222-8333-abcdefabcdef",
    "evil.example": "6f0c1d2e-2222-4222-8333-abcdefabcdef",
}
PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
# Issuer segments that stand for any tenant.
ANY = ("common", "organizations")


class Microsoft(OpenIDLookAlike):
    """A fake Microsoft. Mallory administers a tenant, and may write anything into her address."""

    name = "microsoft"
    label = "Microsoft"
    client_auth = ("post",)
    discovery_path = "/<tenant>/v2.0/.well-known/openid-configuration"
    authorize_path = "/<tenant>/oauth2/v2.0/authorize"
    token_path = "/<tenant>/oauth2/v2.0/token"
    userinfo_path = "/oidc/userinfo"
    keys_path = "/<tenant>/discovery/v2.0/keys"

    own_faults = (*OpenIDLookAlike.own_faults, "tenant:other", "tenant:claims_another")

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        # For tests: the groups that Graph knows of, by person, and how many ids each request had.
        self.groups: dict[str, list[str]] = {}
        self.group_requests: list[int] = []

    def routes(self) -> Blueprint:
        """Add Graph, whose host has userinfo too."""
        routes = super().routes()
        path = "/v1.0/me/checkMemberGroups"
        routes.add_url_rule(path, "check_groups", self.answer_groups, methods=["POST"])
        return routes

    def answer_groups(self) -> Response | tuple[Response, int]:
        self.note("groups")
        code = self.bearer()
        if code is None or "User.Read" not in code.scopes:
            return jsonify(error={"code": "InvalidAuthenticationToken"}), 401
        asked = (request.get_json() or {}).get("groupIds", [])
        self.group_requests.append(len(asked))
        if not 0 < len(asked) <= 20:
            return jsonify(error={"code": "Request_BadRequest"}), 400
        mine = self.groups.get(code.person.key, [])
        answer = jsonify(value=[each for each in asked if each in mine])
        return self.misbehave("groups", code) or answer

    @classmethod
    def settings(cls, url: str) -> dict[str, str]:
        return {"MICROSOFT_ISSUER": f"{url}/common/v2.0"}

    @property
    def endpoints(self) -> Endpoints:
        """Return the endpoints of the segment that stands for any tenant."""
        found = super().endpoints.present() | {"issuer": f"{self.url}/common/v2.0"}
        return Endpoints(**{n: url.replace("<tenant>", "common") for n, url in found.items()})

    def tenant_of(self, person: Person) -> str:
        if person.key == "mallory":
            return TENANTS["evil.example"]
        return TENANTS.get(person.workspace or "", PERSONAL)

    def metadata(self) -> Claims:
        tenant = (request.view_args or {})["tenant"]
        named = {"consumers": PERSONAL}.get(tenant, "{tenantid}" if tenant in ANY else tenant)
        metadata = {
            name: value.replace("<tenant>", tenant) if isinstance(value, str) else value
            for name, value in super().metadata().items()
        }
        return metadata | {"issuer": f"{self.url}/{named}/v2.0"}

    def issuer_of(self, code: Code) -> str:
        return f"{self.url}/{self.tenant_of(code.person)}/v2.0"

    def authorize(self) -> Response | tuple[str, int]:
        """Show the page. A tenant's own address admits only its own people."""
        tenant = (request.view_args or {})["tenant"]
        person = PEOPLE.get(request.form.get("person", ""))
        lies = request.form.get("behave") == "tenant:other"
        if person and tenant not in (*ANY, self.tenant_of(person)) and not lies:
            fault = "AADSTS50020: the account does not exist in this tenant."
            return render_template("refused.html", provider=self, fault=fault), 400
        return super().authorize()

    def subject(self, person: Person) -> str:
        """Return the subject, which differs per application: pairwise (OpenID Connect Core 8.1)."""
        return f"pairwise-{person.subject('microsoft:' + self.client.client_id, 16)}"

    def in_id_token(self, code: Code) -> Claims:
        person, tenant = code.person, self.tenant_of(code.person)
        claims: Claims = {"tid": tenant, "oid": self.object_id(person), "ver": "2.0"}
        if code.behave == "tenant:claims_another":
            claims["tid"] = TENANTS["navy.example"]
        if "profile" in code.scopes:
            claims |= {"name": person.name, "preferred_username": person.email or "none"}
        if "email" in code.scopes and person.email:
            claims["email"] = person.email
            # The optional claim: only for a domain whose owner the tenant has verified.
            if tenant == TENANTS["navy.example"]:
                claims["xms_edov"] = True
        return claims

    def in_userinfo(self, code: Code) -> Claims:
        return {"name": code.person.name}

    def object_id(self, person: Person) -> str:
        return str(UUID(int=int(person.subject("microsoft:oid", 30))))
