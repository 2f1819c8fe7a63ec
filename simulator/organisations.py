"""Memberships at fake providers: of organisations, servers, workspaces and sites.

Nobody belongs to anything until a test says so.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request

from simulator.clients import Client
from simulator.declared import Declared
from simulator.protocol import Code, LookAlike

Reply = Response | tuple[Response, int] | tuple[Response, int, dict[str, str]]


@dataclass
class Organisation:
    """An organisation at the fake GitHub. ``members``: the state of each person's membership, by
    key; ``teams``: the same for each team. ``refuses``: ``blocked`` if its owners did not approve
    the application, ``saml`` if they want a single sign-on first."""

    login: str
    number: int
    members: dict[str, str] = field(default_factory=dict)
    teams: dict[str, dict[str, str]] = field(default_factory=dict)
    refuses: str = ""

    def membership(self, state: str) -> dict[str, Any]:
        organisation = {"login": self.login, "id": self.number}
        return {"state": state, "role": "member", "organization": organisation}


class Organisations:
    """The organisations of the fake GitHub, and its endpoints for them."""

    def __init__(self, github: LookAlike) -> None:
        self.github = github
        self.all: list[Organisation] = []

    def add(self, login: str, number: int, **members: str) -> Organisation:
        self.all.append(Organisation(login, number, members))
        return self.all[-1]

    def named(self, login: str) -> Organisation | None:
        found = (each for each in self.all if each.login.lower() == login.lower())
        return next(found, None)

    def add_routes(self, routes: Blueprint) -> None:
        base = "/api/user/memberships/orgs"
        routes.add_url_rule(base, "organisations", self.answer_list)
        routes.add_url_rule(f"{base}/<login>", "organisation", self.answer_membership)
        team = "/api/orgs/<login>/teams/<slug>/memberships/<username>"
        routes.add_url_rule(team, "team", self.answer_team)

    def answer_list(self) -> Reply:
        code = self._asker("organisations")
        if not isinstance(code, Code):
            return code
        mine = [(each, each.members.get(code.person.key)) for each in self.all]
        wanted = request.args.get("state")
        return jsonify(
            [each.membership(state) for each, state in mine if state and wanted in (None, state)]
        )

    def answer_membership(self, login: str) -> Reply:
        code = self._asker("organisation")
        if not isinstance(code, Code):
            return code
        organisation = self.named(login)
        if organisation and organisation.refuses:
            return self._refusal(organisation)
        state = organisation and organisation.members.get(code.person.key)
        if not organisation or not state:
            return jsonify(message="Not Found"), 404
        answer = jsonify(organisation.membership(state))
        answer.add_etag()
        answer.make_conditional(request)
        return answer

    def answer_team(self, login: str, slug: str, username: str) -> Reply:
        code = self._asker("team")
        if not isinstance(code, Code):
            return code
        organisation = self.named(login)
        if organisation and organisation.refuses:
            return self._refusal(organisation)
        team = organisation.teams.get(slug, {}) if organisation else {}
        state = team.get(code.person.key) if username == code.person.username else None
        if state is None:
            return jsonify(message="Not Found"), 404
        return jsonify(url=request.url, role="member", state=state)

    def _asker(self, where: str) -> Code | Reply:
        """Return whose token it is, or the refusal."""
        self.github.note(where)
        code = self.github.bearer()
        if code is None:
            return jsonify(message="Bad credentials"), 401
        if "read:org" not in code.scopes:
            return jsonify(message="You need at least read:org scope."), 403
        return self.github.misbehave(where, code) or code

    def _refusal(self, organisation: Organisation) -> Reply:
        if organisation.refuses == "saml":
            url = f"{self.github.url}/orgs/{organisation.login}/sso"
            return jsonify(message="Resource protected"), 403, {"X-GitHub-SSO": f"required; {url}"}
        words = "has enabled OAuth App access restrictions"
        return jsonify(message=f"the `{organisation.login}` organization {words}"), 403


class Discord(Declared):
    """A fake Discord with servers: ``guilds`` has the member of each, by person and server id."""

    member_path: ClassVar[str] = "users/@me/guilds"

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.guilds: dict[str, dict[str, dict[str, Any]]] = {}

    def routes(self) -> Blueprint:
        routes = super().routes()
        base = f"/{self.api_path}{self.member_path}"
        routes.add_url_rule(base, "guilds", self.answer_guilds)
        routes.add_url_rule(f"{base}/<guild>/member", "member", self.answer_member)
        return routes

    def answer_guilds(self) -> Reply:
        self.note("guilds")
        code = self.bearer()
        if code is None or "guilds" not in code.scopes:
            return jsonify(message="401: Unauthorized", code=0), 401
        mine = self.guilds.get(code.person.key, {})
        answer = jsonify([{"id": guild, "name": guild, "owner": False} for guild in mine])
        return self.misbehave("guilds", code) or answer

    def answer_member(self, guild: str) -> Reply:
        self.note("member")
        code = self.bearer()
        if code is None or "guilds.members.read" not in code.scopes:
            return jsonify(message="401: Unauthorized", code=0), 401
        if bad := self.misbehave("member", code):
            return bad
        member = self.guilds.get(code.person.key, {}).get(guild)
        if member is None:
            return jsonify(message="Unknown Guild", code=10004), 404
        return jsonify({"roles": [], "pending": False, "nick": None, **member})


class Bitbucket(Declared):
    """A fake Bitbucket with workspaces, by person; its list has one on each page."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.workspaces: dict[str, list[str]] = {}

    def routes(self) -> Blueprint:
        routes = super().routes()
        path = f"/{self.api_path}user/workspaces"
        routes.add_url_rule(path, "workspaces", self.answer_workspaces)
        return routes

    def answer_workspaces(self) -> Reply:
        self.note("workspaces")
        code = self.bearer()
        if code is None:
            return jsonify(type="error"), 401
        mine, page = self.workspaces.get(code.person.key, []), int(request.args.get("page", "1"))
        rows = [
            {"type": "workspace_access", "workspace": {"uuid": uuid, "slug": f"s{page}"}}
            for uuid in mine[page - 1 : page]
        ]
        following = {"next": f"{request.base_url}?{urlencode({'page': page + 1})}"}
        more = following if page < len(mine) else {}
        return self.misbehave("workspaces", code) or jsonify({"values": rows, "page": page, **more})


class Atlassian(Declared):
    """A fake Atlassian with sites, by person."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.sites: dict[str, list[str]] = {}

    def routes(self) -> Blueprint:
        routes = super().routes()
        routes.add_url_rule("/oauth/token/accessible-resources", "sites", self.answer_sites)
        return routes

    def answer_sites(self) -> Reply:
        self.note("sites")
        code = self.bearer()
        if code is None:
            return jsonify(code=401, message="Unauthorized"), 401
        is_useful = "read:jira-user" in code.scopes
        mine = self.sites.get(code.person.key, []) if is_useful else []
        rows = [{"id": f"id-{host}", "url": f"https://{host}", "scopes": []} for host in mine]
        return self.misbehave("sites", code) or jsonify(rows)
