"""A provider that costs as little as possible: OpenID Connect, and the protocols of GitHub and
Facebook.

It is a process of its own, with TLS 1.3 on loopback and one port per host of the real providers. It
stores nothing about a sign-in: the code is ``<person>.<nonce>``, the access token
``bench-<person>``; it checks neither client nor verifier. Round trips can be made longer: every
response waits for one, and a new connection counts as two more (TCP's and TLS 1.3's), from when it
was made.
"""

import asyncio
import base64
import hashlib
import json
import re
import ssl
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

CLIENT_ID = "bench"
CONNECTION_ROUND_TRIPS = 2
# The APIs of Google and GitHub are on other hosts than their token endpoints.
HOSTS = ("openid", "openid_api", "github", "github_api", "facebook")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
BEARER = re.compile(rb"\r\nauthorization: *bearer bench-(\w+)", re.IGNORECASE)
PADDING = padding.PKCS1v15()
DIGEST = hashes.SHA256()


def address_of(provider: str, person: str) -> str:
    """Return the e-mail address of a provider's person; no two share one."""
    return f"{provider}-{person}@gmail.com"


def unpadded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


@dataclass
class Request:
    path: str
    query: str
    head: bytes
    body: bytes

    def code(self) -> tuple[str, str]:
        """Return person and nonce of a token request."""
        form = parse_qs(self.body.decode())
        person, _, nonce = form["code"][0].partition(".")
        return person, nonce

    def bearer(self) -> str:
        found = BEARER.search(self.head)
        return found[1].decode() if found else ""


class Answers:
    """The JSON response of each path."""

    def __init__(self, urls: dict[str, str]) -> None:
        self._key = rsa.generate_private_key(65537, 2048)
        self._issuer, self._api = urls["openid"], urls["openid_api"]
        self._header = unpadded(json.dumps({"alg": "RS256", "kid": "1", "typ": "JWT"}).encode())
        self._metadata = json.dumps(self._made_metadata()).encode()
        self._keys = json.dumps({"keys": [self._jwk()]}).encode()
        self.by_path: dict[str, Callable[[Request], bytes]] = {
            "/.well-known/openid-configuration": lambda _: self._metadata,
            "/keys": lambda _: self._keys,
            "/token": self.token,
            "/oauth2/v2/userinfo": self.userinfo,
            "/access_token": self.github_token,
            "/user": self.github_user,
            "/user/emails": self.github_emails,
            "/v26.0/oauth/access_token": self.facebook_token,
            "/v26.0/me": self.facebook_me,
        }

    def _made_metadata(self) -> dict[str, Any]:
        return {
            "issuer": self._issuer,
            "authorization_endpoint": f"{self._issuer}/authorize",
            "token_endpoint": f"{self._issuer}/token",
            "userinfo_endpoint": f"{self._api}/oauth2/v2/userinfo",
            "jwks_uri": f"{self._issuer}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
        }

    def _jwk(self) -> dict[str, str]:
        numbers = self._key.public_key().public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": "1",
            "n": unpadded(numbers.n.to_bytes(256, "big")).decode(),
            "e": "AQAB",
        }

    def token(self, request: Request) -> bytes:
        person, nonce = request.code()
        now = int(time.time())
        access_token = f"bench-{person}"
        claims = {
            "iss": self._issuer,
            "aud": CLIENT_ID,
            "azp": CLIENT_ID,
            "sub": person,
            "email": address_of("google", person),
            "email_verified": True,
            "name": f"Person {person}",
            "picture": f"https://pictures.example.org/{person}",
            "at_hash": unpadded(hashlib.sha256(access_token.encode()).digest()[:16]).decode(),
            "iat": now,
            "exp": now + 3600,
            **({"nonce": nonce} if nonce else {}),
        }
        signed = self._header + b"." + unpadded(json.dumps(claims).encode())
        id_token = signed + b"." + unpadded(self._key.sign(signed, PADDING, DIGEST))
        return (
            b'{"access_token":"%s","token_type":"Bearer","expires_in":3599,'
            b'"scope":"openid email profile","id_token":"%s"}' % (access_token.encode(), id_token)
        )

    def userinfo(self, request: Request) -> bytes:
        person = request.bearer()
        said = {"id": person, "sub": person, "verified_email": True, "email_verified": True}
        said |= {"email": address_of("google", person), "name": f"Person {person}"}
        said["picture"] = f"https://pictures.example.org/{person}"
        return json.dumps(said).encode()

    def github_token(self, request: Request) -> bytes:
        return (
            b'{"access_token":"bench-%s","token_type":"bearer","scope":"read:user,user:email"}'
            % request.code()[0].encode()
        )

    def github_user(self, request: Request) -> bytes:
        person = request.bearer()
        return b'{"id":%s,"login":"user-%s","name":"Person %s","email":null}' % (
            (person.encode(),) * 3
        )

    def github_emails(self, request: Request) -> bytes:
        address = address_of("github", request.bearer()).encode()
        return b'[{"email":"%s","primary":true,"verified":true,"visibility":null}]' % address

    def facebook_token(self, request: Request) -> bytes:
        return b'{"access_token":"bench-%s","token_type":"bearer","expires_in":5183944}' % (
            request.code()[0].encode()
        )

    def facebook_me(self, request: Request) -> bytes:
        person = request.bearer()
        return b'{"id":"%s","name":"Person %s","email":"%s"}' % (
            person.encode(),
            person.encode(),
            address_of("facebook", person).encode(),
        )


@dataclass
class State:
    """The counters and the settings; ``round_trip`` is in seconds."""

    answers: Answers
    round_trip: float = 0.0
    requests: int = 0
    connections: int = 0
    open: set[asyncio.BaseTransport] = field(default_factory=set)

    def control(self, request: Request) -> bytes:
        """Handle GET /?round_trip=0.04 (set it) and /close (end every open connection); return the
        counts."""
        asked = parse_qs(request.query)
        if "round_trip" in asked:
            self.round_trip = float(asked["round_trip"][0])
        if request.path == "/close":
            for transport in list(self.open):
                transport.close()
        return json.dumps({"requests": self.requests, "connections": self.connections}).encode()


class Connection(asyncio.Protocol):
    def __init__(self, state: State, *, is_control: bool) -> None:
        self._state, self._is_control = state, is_control
        self._held = b""
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ready_at = 0.0
        if not self._is_control:
            self._state.open.add(transport)
            self._state.connections += 1
            wait = CONNECTION_ROUND_TRIPS * self._state.round_trip
            self._ready_at = self._loop.time() + wait

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._state.open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._held += data
        head, end, rest = self._held.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        size = int(length[1]) if length else 0
        if not end or len(rest) < size:
            return
        self._held = rest[size:]
        target = urlsplit(head.split(b" ", 2)[1].decode())
        self._answer(Request(target.path, target.query, head, rest[:size]))

    def _answer(self, request: Request) -> None:
        if self._is_control:
            self._write(self._state.control(request))
            return
        self._state.requests += 1
        answer = self._state.answers.by_path.get(request.path)
        body = answer(request) if answer else None
        if not self._state.round_trip:
            self._write(body)
            return
        ready = max(self._loop.time(), self._ready_at)
        self._loop.call_at(ready + self._state.round_trip, self._write, body)

    def _write(self, body: bytes | None) -> None:
        if not self._transport.is_closing():
            self._transport.write(
                b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                % (b"404 Not Found" if body is None else b"200 OK", len(body or b""), body or b"")
            )


async def serve(certificate: str, first_port: int) -> None:
    """Serve until standard input ends. Prints the ports by host, and the control port."""
    loop = asyncio.get_running_loop()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate)
    state: State

    def connection() -> Connection:
        return Connection(state, is_control=False)

    def control() -> Connection:
        return Connection(state, is_control=True)

    ports = {}
    servers = []
    for number, host in enumerate(HOSTS):
        port = first_port + number if first_port else 0
        server = await loop.create_server(connection, "127.0.0.1", port, ssl=context, backlog=256)
        servers.append(server)
        ports[host] = server.sockets[0].getsockname()[1]
    state = State(Answers({host: f"https://127.0.0.1:{port}" for host, port in ports.items()}))
    server = await loop.create_server(control, "127.0.0.1", 0)
    ports["control"] = server.sockets[0].getsockname()[1]
    print(json.dumps(ports), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
