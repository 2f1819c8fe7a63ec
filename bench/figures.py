"""The measurements: each takes running servers, and adds to the results."""

import asyncio
import itertools
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.browser import Connection, SignIn, check, sign_in
from bench.results import Results
from bench.servers import Provider, Server

BROWSERS = 16
# One at a time: the stock app mixes concurrent visitors up, and then does less work.
CPU_BROWSERS = 1
ROUND_TRIP = 0.04
# The button, the callback and the check.
REQUESTS_OF_A_VISIT = 3
# Longer than opening a connection in the background takes; people take longer still.
AT_THE_PROVIDER = 0.3


@dataclass
class Measure:
    """``scale``: 1 is the whole bench, less shortens every part. ``known``: the number of people
    that exist before the rounds."""

    provider: Provider
    results: Results
    scale: float = 1.0
    known: int = 40
    # People that no earlier run has left in a kept database.
    _new: Iterator[int] = field(default_factory=lambda: itertools.count(1000 * int(time.time())))

    def count(self, number: int) -> int:
        return max(min(number, 3), round(number * self.scale))

    def new(self, number: int) -> list[str]:
        return [str(next(self._new)) for _ in range(number)]

    def some_known(self, number: int) -> list[str]:
        """Return known people, spread over all of them; the same ones each time."""
        step = max(1, self.known // number)
        return [str(1 + each * step % self.known) for each in range(number)]

    # Sign-ins.

    async def all_in(
        self,
        server: Server,
        people: list[str],
        browsers: int = CPU_BROWSERS,
        provider: str = "google",
    ) -> list[SignIn]:
        """Sign everybody in, one at a time per browser."""
        waiting = iter(people)
        done: list[SignIn] = []

        async def browse() -> None:
            connection = Connection(server.port)
            for person in waiting:
                done.append(await sign_in(connection, provider, person))  # noqa: PERF401
            connection.close()

        await asyncio.gather(*(browse() for _ in range(browsers)))
        return done

    async def judge(self, server: Server, done: list[SignIn]) -> None:
        """Count sign-ins as the wrong person, and failures."""
        connection = Connection(server.port)
        for each in done:
            if not each.error:
                await check(connection, each, server.me)
        connection.close()
        self._count(server, done)

    def _count(self, server: Server, done: list[SignIn]) -> None:
        for each in done:
            if each.is_wrong:
                self.results.wrong[server.name] += 1
            if each.error:
                self.results.errors[server.name][each.error] += 1
        self.results.sign_ins[server.name] += len(done)

    async def warm(self, server: Server) -> None:
        """Warm up: every worker and thread has worked, and the known people exist."""
        known = self.some_known(min(self.known, 40))
        await self.judge(server, await self.all_in(server, known))
        for provider in server.providers:
            done = await self.all_in(server, self.new(2 * BROWSERS), BROWSERS, provider)
            await self.judge(server, done)

    async def sign_ins(self, server: Server, number: int, kinds: tuple[str, ...]) -> None:
        """Measure the CPU of a sign-in, and its requests to the provider."""
        for kind in kinds:
            people = self.new(number) if kind == "new" else self.some_known(number)
            asked, used = self.provider.control("/"), server.cpu()
            done = await self.all_in(server, people)
            used, now = server.cpu() - used, self.provider.control("/")
            self.results.add(f"sign_in_{kind}_ms", server.name, 1000 * used / number)
            for what in ("requests", "connections"):
                self.results.add(what, server.name, (now[what] - asked[what]) / number)
            await self.judge(server, done)

    async def visits(self, server: Server, number: int, browsers: int) -> None:
        """Measure the CPU of a whole visit of a fresh browser: sign-in and its first check.

        The empty server answers as many requests, without any of their work.
        """
        waiting = iter(self.some_known(number))
        done: list[SignIn] = []

        async def browse() -> None:
            connection = Connection(server.port)
            for person in waiting:
                if server.name == "empty":
                    for _ in range(REQUESTS_OF_A_VISIT):
                        await connection.get("/")
                    continue
                visitor = await sign_in(connection, "google", person)
                if not visitor.error:
                    await check(connection, visitor, server.me)
                done.append(visitor)
            connection.close()

        used = server.cpu()
        await asyncio.gather(*(browse() for _ in range(browsers)))
        self.results.add(f"visit_{browsers}_ms", server.name, 1000 * (server.cpu() - used) / number)
        self._count(server, done)

    async def first_checks(self, server: Server, number: int) -> None:
        """Measure the CPU of the first session check of browsers that have just signed in."""
        done = await self.all_in(server, self.some_known(number))
        done = [each for each in done if not each.error]
        connection, used = Connection(server.port), server.cpu()
        for each in done:
            await check(connection, each, server.me)
        self.results.add("first_check_ms", server.name, 1000 * (server.cpu() - used) / len(done))
        connection.close()
        self._count(server, done)

    async def page(self, server: Server, path: str, number: int) -> None:
        """Measure the CPU of a page for a signed-in browser."""
        cookies: dict[str, str] = {}
        if server.name != "empty":
            (done,) = await self.all_in(server, self.some_known(1))
            cookies = done.cookies
        connection, used = Connection(server.port), server.cpu()
        for _ in range(number):
            answer = await connection.get(path, cookies)
            if answer.status != 200:
                self.results.errors[server.name][f"{path}: {answer.status}"] += 1
        self.results.add("page_ms", server.name, 1000 * (server.cpu() - used) / number)
        connection.close()

    async def throughput(self, server: Server, seconds: float) -> None:
        """Measure sign-ins per second of new people, with round trips of 40 ms."""
        self.provider.control(f"/?round_trip={ROUND_TRIP}")
        done: list[SignIn] = []
        began = time.perf_counter()

        async def browse() -> None:
            connection = Connection(server.port)
            while time.perf_counter() < began + seconds:
                done.append(await sign_in(connection, "google", str(next(self._new))))
            connection.close()

        await asyncio.gather(*(browse() for _ in range(BROWSERS)))
        took = time.perf_counter() - began
        self.provider.control("/?round_trip=0")
        await self.judge(server, done)
        good = sum(not each.error and not each.is_wrong for each in done)
        self.results.add("sign_ins_per_second", server.name, good / took)

    async def callbacks(self, server: Server, number: int) -> None:
        """Measure the duration of a callback, in round trips of 40 ms."""
        self.provider.control(f"/?round_trip={ROUND_TRIP}")
        for provider in server.providers:
            await self._callback(server, provider, number, "")
        self.provider.control("/?round_trip=0")

    async def callbacks_after_idle(self, server: Server, seconds: float) -> None:
        """Measure the same after an idle time, when the provider has closed its connections."""
        await asyncio.sleep(0.8 * seconds)
        self.provider.control("/close")
        await asyncio.sleep(0.2 * seconds)
        self.provider.control(f"/?round_trip={ROUND_TRIP}")
        for provider in server.providers:
            await self._callback(server, provider, 1, "_idle")
        self.provider.control("/?round_trip=0")

    async def _callback(self, server: Server, provider: str, number: int, suffix: str) -> None:
        connection = Connection(server.port)
        done = [
            await sign_in(connection, provider, person, pause=AT_THE_PROVIDER)
            for person in self.new(number)
        ]
        connection.close()
        times = [each.seconds / ROUND_TRIP for each in done if not each.error]
        if times:
            median = statistics.median(times)
            self.results.add(f"callback_{provider}{suffix}", server.name, median)
        await self.judge(server, done)

    # Session checks and memory.

    async def session_check(
        self, server: Server, number: int, figure: str = "session_check_ms"
    ) -> None:
        """Measure the CPU of a session check; for the empty server, of its view."""
        path, cookies = "/", [dict[str, str]()]
        if server.name != "empty":
            done = await self.all_in(server, self.some_known(CPU_BROWSERS))
            path, cookies = server.me, [each.cookies for each in done]
        waiting = iter(range(number))

        async def browse(mine: dict[str, str]) -> None:
            connection = Connection(server.port)
            for _ in waiting:
                answer = await connection.get(path, mine)
                if answer.status != 200:
                    self.results.errors[server.name][f"{path}: {answer.status}"] += 1
            connection.close()

        browsers = list(itertools.islice(itertools.cycle(cookies), CPU_BROWSERS))
        used = server.cpu()
        await asyncio.gather(*(browse(mine) for mine in browsers))
        self.results.add(figure, server.name, 1000 * (server.cpu() - used) / number)

    async def memory(self, server: Server, sign_ins: int) -> None:
        """Measure MiB of the idle server as a whole, and the growth of each worker."""
        await self.warm(server)
        for key in ("Rss", "Pss"):
            self.results.add(f"idle_{key.lower()}_mib", server.name, sum(server.memory(key)))
        before = server.memory("Rss")[1:]
        if not sign_ins:
            return
        for _ in range(0, sign_ins, 500):
            people = self.new(min(500, sign_ins))
            await self.judge(server, await self.all_in(server, people, BROWSERS))
        after = server.memory("Rss")[1:]
        growth = max(now - then for now, then in zip(after, before, strict=True))
        self.results.add("growth_per_worker_mib", server.name, growth)

    async def with_people(self, server: Server, size: int) -> None:
        """Measure a known person's sign-in and a session check with this many people."""
        number = self.count(150)
        people = [str(1 + each * size // number) for each in range(number)]
        used = server.cpu()
        done = await self.all_in(server, people)
        self.results.add(
            f"people_{size}_sign_in_ms", server.name, 1000 * (server.cpu() - used) / number
        )
        await self.judge(server, done)
        await self.session_check(server, self.count(1000), f"people_{size}_session_ms")

    def start(self, server: Server) -> None:
        self.results.add("start_cpu_s", server.name, server.start_cpu)
        self.results.add("start_wall_s", server.name, server.start_seconds)
