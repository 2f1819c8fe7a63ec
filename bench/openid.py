"""The OpenID Provider: what an application that signs people in costs the server.

Each figure stands next to as many requests to the empty view as it has figures: one POST, or for
what applications get one GET, with the same headers.
"""

import base64
import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import parse_qs, urlencode, urlsplit

from bench import servers
from bench.browser import Answer, Connection, Failed, SignIn, sign_in
from bench.results import Results
from bench.servers import Server

PARTS = ("authorize-token", "refresh", "introspect", "userinfo", "discovery")
ALGORITHMS = ("RS256", "ES256")
REDIRECT_URI = "https://app.bench.example/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode()
CSRF = re.compile(rb'name="csrf_token" value="([^"]+)"')
DISCOVERY, JWKS = "/.well-known/openid-configuration", "/oauth2/jwks"
Step = Callable[[], Awaitable[object]]


@dataclass
class App:
    """A registered application with a signed-in person who allowed it."""

    connection: Connection
    person: SignIn
    client_id: str
    credentials: dict[str, str] = field(repr=False)
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)

    async def authorize(self) -> Answer:
        """Ask for a code, as the person's browser does."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT_URI,
            "scope": "openid profile email",
            "state": "state",
            "nonce": "nonce",
            "code_challenge": CHALLENGE.rstrip("="),
            "code_challenge_method": "S256",
        }
        path = f"/oauth2/authorize?{urlencode(asked)}"
        return await self.connection.get(path, self.person.cookies)

    async def allow(self) -> None:
        """Allow the application once, on the consent page."""
        answer = await self.authorize()
        self.person.keep(answer)
        path = urlsplit(answer.headers["location"]).path
        page = await self.connection.get(path, self.person.cookies)
        found = CSRF.search(page.body)
        if found is None:
            raise Failed(f"the consent page: {page.status}")
        form = {"csrf_token": found[1].decode(), "answer": "allow"}
        self.person.keep(await self.connection.post(path, form, self.person.cookies))

    async def sign_in(self) -> None:
        """Go through the code flow, to the tokens."""
        answer = await self.authorize()
        code = parse_qs(urlsplit(answer.headers.get("location", "")).query).get("code")
        if answer.status != 302 or not code:
            raise Failed(f"authorize: {answer.status}")
        await self._ask_tokens(
            grant_type="authorization_code",
            code=code[0],
            redirect_uri=REDIRECT_URI,
            code_verifier=VERIFIER,
        )

    async def refresh(self) -> None:
        await self._ask_tokens(grant_type="refresh_token", refresh_token=self.refresh_token)

    async def _ask_tokens(self, **form: str) -> None:
        said = await self._post("/oauth2/token", **form)
        self.access_token, self.refresh_token = said["access_token"], said["refresh_token"]
        if "id_token" not in said:
            raise Failed("token: no ID token")

    async def introspect(self) -> None:
        said = await self._post("/oauth2/introspect", token=self.access_token)
        if not said["active"]:
            raise Failed("introspect: not active")

    async def userinfo(self) -> None:
        await self.fetch("/oauth2/userinfo", {"Authorization": f"Bearer {self.access_token}"})

    async def fetch(self, path: str, headers: dict[str, str] | None = None) -> None:
        answer = await self.connection.get(path, headers=headers)
        if answer.status != 200:
            raise Failed(f"{path}: {answer.status}")

    async def _post(self, path: str, **form: str) -> dict[str, str]:
        answer = await self.connection.post(path, form, headers=self.credentials)
        if answer.status != 200:
            raise Failed(f"{path}: {answer.status}")
        said: dict[str, str] = json.loads(answer.body)
        return said


async def prepare(server: Server, algorithm: str) -> App:
    """Register an application at our running server, and have somebody allow it."""
    made = servers.register_app(server, "--redirect-uri", REDIRECT_URI, "--id-token-alg", algorithm)
    basic = base64.b64encode(f"{made['client_id']}:{made['client_secret']}".encode()).decode()
    connection = Connection(server.port)
    person = await sign_in(connection, "google", "1")
    app = App(connection, person, made["client_id"], {"Authorization": f"Basic {basic}"})
    await app.allow()
    await app.sign_in()
    connection.close()
    return app


@dataclass
class OpenID:
    """The measurements; ``count`` scales their numbers of requests."""

    results: Results
    count: Callable[[int], int]
    _apps: dict[str, App] = field(default_factory=dict)

    async def round(self, parts: list[str], ours: Server, empty: Server) -> None:
        """Measure those of these parts that are ours, once, in turns with the empty view."""
        if not set(PARTS) & set(parts):
            return
        if not self._apps:
            self._apps = {algorithm: await prepare(ours, algorithm) for algorithm in ALGORITHMS}
        kept, blank = Connection(ours.port), Connection(empty.port)
        for app in self._apps.values():
            app.connection = kept
        for part in parts:
            for figure, step, nothing in self._steps(blank).get(part, ()):
                await self._measure(figure, ours, step)
                await self._measure(figure, empty, nothing)
        kept.close()
        blank.close()

    def _steps(self, blank: Connection) -> dict[str, list[tuple[str, Step, Step]]]:
        """Return the figures of each part: what is measured, and the empty view's request."""
        app = self._apps["RS256"]
        form = {"grant_type": "refresh_token", "refresh_token": app.refresh_token}
        post = partial(blank.post, "/", form, headers=app.credentials)
        get = partial(blank.get, "/", headers=app.credentials)
        apps = [(algorithm.lower(), each) for algorithm, each in self._apps.items()]
        return {
            "authorize-token": [
                (f"authorize_token_{name}_ms", each.sign_in, post) for name, each in apps
            ],
            "refresh": [(f"refresh_{name}_ms", each.refresh, post) for name, each in apps],
            "introspect": [("introspect_ms", app.introspect, post)],
            "userinfo": [("userinfo_ms", app.userinfo, get)],
            "discovery": [
                ("discovery_ms", partial(app.fetch, DISCOVERY), get),
                ("jwks_ms", partial(app.fetch, JWKS), get),
            ],
        }

    async def _measure(self, figure: str, server: Server, step: Step) -> None:
        number = self.count(300)
        used = server.cpu()
        for _ in range(number):
            try:
                await step()
            except Failed as error:
                self.results.errors[server.name][str(error)] += 1
        self.results.add(figure, server.name, 1000 * (server.cpu() - used) / number)
