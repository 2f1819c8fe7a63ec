"""The gate: what a proxy's question costs the server, next to a session check and the empty view.

All three are asked in turns, with the headers of a proxy.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bench import servers
from bench.browser import Connection, sign_in
from bench.results import Results
from bench.servers import Server

PARTS = ("gate",)
ORIGIN = "https://wiki.bench.example"
PATH = "/forward-auth/wiki"
ASKED = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": urlsplit(ORIGIN).netloc,
    "X-Forwarded-Uri": "/page?id=1",
    "X-Forwarded-Method": "GET",
    "Accept": "text/html",
    "Sec-Fetch-Mode": "navigate",
}


@dataclass
class Visitor:
    """The cookies of a person at our server, and at the gated host."""

    here: dict[str, str] = field(repr=False)
    there: dict[str, str] = field(default_factory=dict, repr=False)


async def prepare(server: Server) -> Visitor:
    """Put a gate before a host at our running server, and have somebody come in."""
    servers.run_command(server, "gates", "add", "wiki", "--host", ORIGIN)
    connection = Connection(server.port)
    person = await sign_in(connection, "google", "1")
    visitor = Visitor(person.cookies)
    begun = await connection.get(PATH, headers=ASKED)
    _keep(visitor, begun.set_cookies)
    page = urlsplit(begun.headers["location"])
    back = await connection.get(f"{page.path}?{page.query}", visitor.here)
    wanted = urlsplit(back.headers["location"])
    asked = ASKED | {"X-Forwarded-Uri": f"{wanted.path}?{wanted.query}"}
    _keep(visitor, (await connection.get(PATH, visitor.there, asked)).set_cookies)
    connection.close()
    return visitor


def _keep(visitor: Visitor, set_cookies: list[str]) -> None:
    for line in set_cookies:
        name, _, value = line.partition(";")[0].partition("=")
        visitor.there[name] = value


@dataclass
class Gate:
    """The measurements; ``count`` scales their numbers of requests."""

    results: Results
    count: Callable[[int], int]
    _visitor: Visitor | None = None

    async def round(self, parts: list[str], ours: Server, empty: Server) -> None:
        """Measure once, in turns, if this part is among ``parts``."""
        if not set(PARTS) & set(parts):
            return
        if self._visitor is None:
            self._visitor = await prepare(ours)
        here, there = self._visitor.here, self._visitor.there
        await self._measure("gate_session_ms", ours, ours.me, here, {})
        await self._measure("gate_session_ms", empty, "/", here, {})
        await self._measure("gate_ms", ours, PATH, there, ASKED)
        await self._measure("gate_ms", empty, "/", there, ASKED)

    async def _measure(
        self,
        figure: str,
        server: Server,
        path: str,
        cookies: dict[str, str],
        headers: dict[str, str],
    ) -> None:
        number, connection = self.count(1000), Connection(server.port)
        used = server.cpu()
        for _ in range(number):
            answer = await connection.get(path, cookies, headers)
            if answer.status != 200:
                self.results.errors[server.name][f"{path}: {answer.status}"] += 1
        self.results.add(figure, server.name, 1000 * (server.cpu() - used) / number)
        connection.close()
