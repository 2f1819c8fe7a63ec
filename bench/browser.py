"""Cheap browsers: kept connections, cookies, a sign-in, and a check of who signed in."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from bench.provider import address_of


class Failed(Exception):
    """The response is not that of a successful sign-in."""


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    set_cookies: list[str]
    body: bytes


class Connection:
    """A kept connection to a server on loopback; reopened if the server closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(
        self,
        path: str,
        cookies: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        return await self._send("GET", path, cookies or {}, headers or {})

    async def post(
        self,
        path: str,
        form: dict[str, str],
        cookies: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send a form."""
        body = urlencode(form).encode()
        described = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Length": str(len(body)),
        }
        return await self._send("POST", path, cookies or {}, described | (headers or {}), body)

    async def _send(
        self,
        method: str,
        path: str,
        cookies: dict[str, str],
        headers: dict[str, str],
        body: bytes = b"",
    ) -> Answer:
        if cookies:
            pairs = (f"{name}={value}" for name, value in cookies.items())
            headers = {"Cookie": "; ".join(pairs), **headers}
        usual = {"Host": f"localhost:{self._port}", "User-Agent": "bench", "Accept": "*/*"}
        lines = [f"{name}: {value}\r\n" for name, value in (usual | headers).items()]
        request = f"{method} {path} HTTP/1.1\r\n{''.join(lines)}\r\n".encode() + body
        is_kept = self._streams is not None
        try:
            return await self._ask(request)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            self.close()
            if not is_kept or (isinstance(error, asyncio.IncompleteReadError) and error.partial):
                raise Failed(f"no answer: {type(error).__name__}") from None
            return await self._ask(request)

    async def _ask(self, request: bytes) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        headers: dict[str, str] = {}
        set_cookies: list[str] = []
        for line in lines:
            name, _, value = line.partition(": ")
            if name.lower() == "set-cookie":
                set_cookies.append(value)
            headers[name.lower()] = value
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection", "").lower() == "close" or "content-length" not in headers:
            self.close()
        return Answer(int(first.split(" ", 2)[1]), headers, set_cookies, body)

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
            self._streams = None


@dataclass
class SignIn:
    """A finished sign-in: its cookies, and the duration of the callback in seconds."""

    provider: str
    person: str
    cookies: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""
    is_wrong: bool = False

    def keep(self, answer: Answer) -> None:
        for line in answer.set_cookies:
            for name, morsel in SimpleCookie(line).items():
                if not morsel.value or morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.coded_value


async def sign_in(
    connection: Connection, provider: str, person: str, *, pause: float | None = None
) -> SignIn:
    """Sign in from the button to the callback's response, in a browser without cookies.

    The provider's page costs the server nothing, so it is skipped: code and state are built here.
    ``pause`` is the time spent there in seconds; the callback then uses a new connection, as it
    does behind a proxy, or if the server closes idle connections quickly.
    """
    done = SignIn(provider, person)
    try:
        answer = await connection.get(f"/login/{provider}")
        done.keep(answer)
        asked = parse_qs(urlsplit(_redirect(answer, "the button")).query)
        if pause is not None:
            connection.close()
            await asyncio.sleep(pause)
        code = f"{person}.{asked.get('nonce', [''])[0]}"
        query = urlencode({"code": code, "state": asked["state"][0]})
        began = time.perf_counter()
        answer = await connection.get(
            f"{urlsplit(asked['redirect_uri'][0]).path}?{query}", done.cookies
        )
        done.seconds = time.perf_counter() - began
        done.keep(answer)
        if "/login" in _redirect(answer, "the callback"):
            done.error = "the callback: back to the sign-in"
    except Failed as error:
        done.error = str(error)
    return done


def _redirect(answer: Answer, what: str) -> str:
    if answer.status != 302:
        raise Failed(f"{what}: {answer.status}")
    return answer.headers["location"]


async def check(connection: Connection, done: SignIn, path: str) -> None:
    """Ask the server who is signed in; ``is_wrong`` if that is another person."""
    answer = await connection.get(path, done.cookies)
    if answer.status != 200:
        done.error = f"who am I: {answer.status}"
        return
    said: dict[str, Any] = json.loads(answer.body)
    done.is_wrong = said["email"] != address_of(done.provider, done.person)
