"""`make bench`, or python -m bench: compares Quickstep, a stock Flask-Dance app and an empty Flask
view.

They are measured in turns against a fake provider over TLS. The figures are
explained in docs/understand/performance.md.
"""

import argparse
import asyncio
import json
import os
import platform
import tempfile
import time
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

from bench import admin, certificates, gate, openid, people, report, servers
from bench.admin import Admin
from bench.certificates import Certificates
from bench.figures import BROWSERS, Measure
from bench.gate import Gate
from bench.openid import OpenID
from bench.results import Results
from bench.servers import Provider, Server

PARTS = (
    *("start", "memory", "sign-in", "visit", "session", "page", "callback", "idle", "load"),
    *openid.PARTS,
    *gate.PARTS,
)
# With few people and with many.
OF_MANY = ("people", admin.PART)
SMALL, PEOPLE_PORT = 1000, 18700


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    add = parser.add_argument
    add("parts", nargs="*", metavar="PART", help=f"only these: {', '.join((*PARTS, *OF_MANY))}")
    add("--quick", action="store_true", help="one round of everything, smaller: a minute")
    add("--rounds", type=int, help="how many (default 5)")
    add("--idle", type=float, help="seconds of pause before a callback (default 5)")
    add("--growth", type=int, default=2000, help="sign-ins that memory may grow over")
    add("--server", choices=("gunicorn", "granian"), default="gunicorn", help="what runs ours")
    add("--postgres", metavar="URL", help="an empty database for ours, in place of SQLite")
    add("--people", type=int, metavar="N", help="also compare N people with 1,000")
    add("--cache", type=Path, help="folder that keeps databases of many people (default: none)")
    add("--json", type=Path, metavar="FILE", help="write every value there")
    add(
        "--markdown", action="store_true", help="print the table for docs/understand/performance.md"
    )
    options = parser.parse_args()
    unknown = set(options.parts) - {*PARTS, *OF_MANY}
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    if options.server == "granian" and not find_spec("granian"):
        parser.error("granian is not installed: pip install -r requirements-bench.txt")
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.idle = options.idle or (2.0 if options.quick else 5.0)
    options.parts = options.parts or [*PARTS, *(OF_MANY if options.people else ())]
    options.people = options.people or 1_000_000
    return options


class Bench:
    """One run: the fake provider, the servers, and the measurements in their order."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options, self.folder = options, folder
        self.results = Results()
        self.certificates: Certificates = certificates.make(folder)
        self.running = ExitStack()
        # The identities of a kept database belong to one address.
        is_kept = set(OF_MANY) & set(options.parts) or options.postgres
        first_port = PEOPLE_PORT if is_kept else 0
        self.provider = Provider(self.certificates.server, first_port)
        scale, known = (0.3, 15) if options.quick else (1.0, 40)
        self.measure = Measure(self.provider, self.results, scale, known)
        self.openid = OpenID(self.results, self.measure.count)
        self.gate = Gate(self.results, self.measure.count)
        self.name = "ours" if options.server == "gunicorn" else f"ours, {options.server}"

    def ours(self, database_url: str = "") -> Server:
        if not database_url:
            new = f"sqlite:///{self.folder}/{time.monotonic_ns()}.sqlite"
            database_url = self.options.postgres or new
        bundle, log = self.certificates.bundle, self.folder / "ours.log"
        engine = self.options.server
        return servers.bring_up(
            servers.ours(self.provider, bundle, database_url, log, engine=engine)
        )

    def run(self) -> None:
        with self.running, self.provider:
            if {"start", "memory"} & set(self.options.parts):
                self.alone()
            if set(PARTS[2:]) & set(self.options.parts):
                self.in_turns()
            if set(OF_MANY) & set(self.options.parts):
                self.of_many()

    def alone(self) -> None:
        """Measure what needs a server without another one running."""
        for server in (self.ours(), self.stock()):
            print_progress(f"start and memory: {server.name}")
            for number in range(min(3, self.options.rounds)):
                with server:
                    self.measure.start(server)
                    if "memory" in self.options.parts and number == 0:
                        growth = 0 if server.name == "stock" else self.options.growth
                        asyncio.run(self.measure.memory(server, self.measure.count(growth)))

    def stock(self, threads: int = servers.THREADS) -> Server:
        bundle = self.certificates.bundle
        return servers.stock(self.provider, bundle, self.folder, threads=threads)

    def in_turns(self) -> None:
        if set(self.options.parts) <= {*openid.PARTS, *gate.PARTS}:
            self.without_stock()
            return
        ours = self.running.enter_context(self.ours())
        stock = self.running.enter_context(self.stock())
        careful = self.running.enter_context(self.stock(threads=1))
        empty = self.running.enter_context(servers.empty(self.folder))
        for server in (ours, stock, careful):
            asyncio.run(self.measure.warm(server))
        for number in range(self.options.rounds):
            print_progress(f"round {number + 1} of {self.options.rounds}")
            asyncio.run(self.round(number, ours, stock, careful, empty))

    def without_stock(self) -> None:
        """Measure OpenID Provider and gate alone, without the stock app, which has neither."""
        ours = self.running.enter_context(self.ours())
        empty = self.running.enter_context(servers.empty(self.folder))
        asyncio.run(self.measure.warm(ours))
        for number in range(self.options.rounds):
            print_progress(f"round {number + 1} of {self.options.rounds}")
            asyncio.run(self.for_others(ours, empty))

    async def round(
        self, number: int, ours: Server, stock: Server, careful: Server, empty: Server
    ) -> None:
        parts, measure = self.options.parts, self.measure
        if "sign-in" in parts:
            await measure.sign_ins(ours, measure.count(150), ("known", "new"))
            await measure.sign_ins(stock, measure.count(40), ("known", "new"))
        if "visit" in parts:
            await measure.visits(ours, measure.count(150), browsers=1)
            await measure.visits(stock, measure.count(40), browsers=1)
            await measure.visits(empty, measure.count(150), browsers=1)
            # With threads the stock app mixes 16 visitors up.
            await measure.visits(ours, measure.count(320), browsers=BROWSERS)
            await measure.visits(careful, measure.count(64), browsers=BROWSERS)
            await measure.visits(empty, measure.count(320), browsers=BROWSERS)
        if "session" in parts:
            for server in (ours, empty, stock):
                await measure.session_check(server, measure.count(1000))
            await measure.first_checks(ours, measure.count(150))
            await measure.first_checks(stock, measure.count(40))
        if "page" in parts:
            await measure.page(ours, "/account", measure.count(300))
            await measure.page(empty, "/", measure.count(300))
        if "callback" in parts:
            await measure.callbacks(ours, measure.count(5))
            await measure.callbacks(stock, measure.count(5))
        if "idle" in parts and number < 3:
            await measure.callbacks_after_idle(ours, self.options.idle)
        if "load" in parts:
            for server in (ours, stock, careful):
                await measure.throughput(server, 4 * measure.scale)
        await self.for_others(ours, empty)

    async def for_others(self, ours: Server, empty: Server) -> None:
        """Measure what other applications and proxies ask."""
        await self.openid.round(self.options.parts, ours, empty)
        await self.gate.round(self.options.parts, ours, empty)

    def of_many(self) -> None:
        """Measure with few people in the database, and with many."""
        made = {size: self.peopled(size) for size in (SMALL, self.options.people)}
        running = {size: self.running.enter_context(server) for size, server in made.items()}
        for server in running.values():
            asyncio.run(self.measure.warm(server))
        pages = Admin(self.results, self.measure.count(5))
        for _ in range(self.options.rounds):
            for size, server in running.items():
                if "people" in self.options.parts:
                    asyncio.run(self.measure.with_people(server, size))
                if admin.PART in self.options.parts:
                    asyncio.run(pages.measure(server, size))

    def peopled(self, size: int) -> Server:
        """Return our server with this many people. Their identities belong to the provider's
        address, which is the same in every run, so a kept database can be reused."""
        kept = (self.options.cache or self.folder) / f"people-{size}.sqlite"
        path = kept if kept.exists() else kept.with_suffix(".new")
        path.unlink(missing_ok=True) if path != kept else None
        server = self.ours(f"sqlite:///{path}")
        if path != kept:
            print_progress(f"writing a database of {size:,} people")
            people.seed(f"sqlite:///{path}", size, self.provider.url("openid"))
            path.rename(kept)
            server = self.ours(f"sqlite:///{kept}")
        server.environment["ADMINS"] = f"google:{admin.ADMINISTRATOR}"
        return server


def print_progress(words: str) -> None:
    print(f"  {words}", flush=True)


def main() -> None:
    options = arguments()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(options, Path(folder))
        bench.run()
    results = bench.results
    table = report.rows(results, bench.name)
    print(f"\n{report.markdown(table) if options.markdown else report.text(table)}\n")
    for server, errors in results.errors.items():
        for words, count in errors.most_common(5):
            print(f"{server}: {words}: {count} times")
    print(
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}; "
        f"medians of {options.rounds} rounds; took {time.perf_counter() - began:.0f} s"
    )
    if options.json:
        options.json.write_text(json.dumps(results.as_data(), indent=1))


if __name__ == "__main__":
    main()
