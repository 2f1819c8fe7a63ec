"""The operator's pages with few people and with many: how long a page takes whose people or events
are searched for."""

import statistics
import time
from dataclasses import dataclass
from itertools import count
from urllib.parse import quote

from bench.browser import Connection, sign_in
from bench.people import FIRST_NAMES, LAST_NAMES
from bench.provider import address_of
from bench.results import Results
from bench.servers import Server

PART = "admin"
# Common and rare names, beginnings of them, several words, nobody's; what identifies one person;
# filters alone and with a name.
SEARCHES = (
    "",
    "a",
    "ma",
    FIRST_NAMES[0],
    FIRST_NAMES[-1],
    LAST_NAMES[0],
    LAST_NAMES[-1],
    f"{FIRST_NAMES[0]} {LAST_NAMES[0]}",
    f"{FIRST_NAMES[0]} {FIRST_NAMES[1]}",
    f"{FIRST_NAMES[-1]} {LAST_NAMES[-1]}",
    "nobody",
    address_of("google", "777"),
    "google:777",
)
PAGES = (
    *(f"people?q={quote(each)}" for each in SEARCHES),
    "people?show=disabled",
    "people?show=admins",
    "people?show=pending",
    f"people?show=disabled&q={FIRST_NAMES[0]}",
    "events",
    "events?kind=signed_in",
    "events?kind=merged",
    "events?provider=github",
    "events?reference=000001F4",
)
ADMINISTRATOR = "1"


@dataclass
class Admin:
    """The measurements: ``rounds`` times each page, one after the other."""

    results: Results
    rounds: int

    async def measure(self, server: Server, size: int) -> None:
        """Measure the wall time of pages with this many people, in milliseconds."""
        connection = Connection(server.port)
        person = await sign_in(connection, "google", ADMINISTRATOR)
        taken = []
        for number in count():
            for page in PAGES:
                begun = time.perf_counter()
                answer = await connection.get(f"/admin/{page}", person.cookies)
                taken.append(1000 * (time.perf_counter() - begun))
                if answer.status != 200:
                    self.results.errors[server.name][f"{page}: {answer.status}"] += 1
            if number == self.rounds:
                break
            if number == 0:
                taken.clear()  # both workers are warm
        connection.close()
        self.results.add(f"admin_{size}_median_ms", server.name, statistics.median(taken))
        of_hundred = statistics.quantiles(taken, n=100)
        self.results.add(f"admin_{size}_p95_ms", server.name, of_hundred[94])
