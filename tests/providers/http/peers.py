"""Servers that answer correctly, slowly, wrongly or not at all, with TLS on request."""

import gzip
import ipaddress
import itertools
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from providers.http import transport as module
from providers.http.transport import ANSWER_MAX_BYTES, Transport

Answer = Callable[[socket.socket], None]
# A drip ends with a complete response, so a call that waited for it fails its test.
DRIPS, DRIP_SECONDS = 100, 0.02
SECRET = "hunter2"


class Peer:
    """A server that answers each request by ``answer``, byte by byte. ``answer`` can be changed at
    any time. A connection stays open for another request until an answer, or the client, closes it.
    """

    def __init__(self, answer: Answer, tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self._here = threading.local()
        self.connections = 0
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _address = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError):
            connection.settimeout(20)
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                while request := read_request(connection):
                    self.requests.append(request)
                    self._here.request = request
                    self.answer(connection)

    def answer_by_path(self, answers: dict[str, Answer]) -> None:
        """Concurrent calls may come in either order."""

        def answer(connection: socket.socket) -> None:
            answers[self._here.request.split(b" ")[1].decode().partition("?")[0]](connection)

        self.answer = answer

    def methods(self) -> list[str]:
        return [request.partition(b" ")[0].decode() for request in self.requests]

    def stop(self) -> None:
        # Only a shutdown wakes the thread that accepts.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def read_request(connection: socket.socket) -> bytes:
    """One request with its body; empty when the client has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            while len(body) < int(line.partition(b":")[2]):
                body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def http(body: bytes = b'{"ok": true}', status: str = "200 OK", *headers: str) -> Answer:
    """A complete and well-formed response."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return send("\r\n".join(lines).encode() + body)


def send(*parts: bytes, close: bool = False) -> Answer:
    def answer(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
        if close:
            connection.shutdown(socket.SHUT_RDWR)

    return answer


def drip(start: bytes, piece: bytes, end: bytes = b"") -> Answer:
    """Send small pieces for longer than any caller should wait."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(start)
        for _ in range(DRIPS):
            time.sleep(DRIP_SECONDS)
            connection.sendall(piece)
        connection.sendall(end)

    return answer


def say_nothing(connection: socket.socket) -> None:
    connection.recv(1)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def in_turn(*answers: Answer) -> Answer:
    """Answer each request with the next of these, and further ones with the last."""
    turns = itertools.chain(answers, itertools.repeat(answers[-1]))

    def answer(connection: socket.socket) -> None:
        next(turns)(connection)

    return answer


GOOD = http()
OK = {"ok": True}

SLOW: dict[str, Answer] = {
    "says nothing": say_nothing,
    "drips the status line": drip(b"HTTP/1.1 200 ", b"O", b"\r\nContent-Length: 2\r\n\r\n{}"),
    "drips headers": drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", b"Content-Length: 2\r\n\r\n{}"),
    "drips interim answers": drip(
        b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    ),
    "drips the body": drip(
        f"HTTP/1.1 200 OK\r\nContent-Length: {DRIPS + 2}\r\n\r\n".encode(), b" ", b"{}"
    ),
    "drips a body without length": drip(b"HTTP/1.1 200 OK\r\n\r\n{}", b" "),
    "drips chunks": drip(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"1\r\n \r\n",
        b"2\r\n{}\r\n0\r\n\r\n",
    ),
    "drips a compressed body": drip(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}")[:10], b"\0"
    ),
    "stops in the body": send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}"),
}

BROKEN: dict[str, Answer] = {
    "hangs up": send(close=True),
    "resets": reset,
    "hangs up in the status line": send(b"HTTP/1.1 2", close=True),
    "hangs up in the headers": send(b"HTTP/1.1 200 OK\r\nContent-", close=True),
    "hangs up in the body": send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", close=True),
    "is not HTTP": send(b"\x16\x03\x01\x00\x00 SSH-2.0-garbage \xff\xfe\r\n\r\n", close=True),
    "has a status that is no number": send(b"HTTP/1.1 fine OK\r\n\r\n{}", close=True),
    "has a line without end": send(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, close=True),
    "has headers without end": send(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000, close=True),
    "contradicts its length": http(b"{}", "200 OK", "Content-Length: 3"),
    "has a length below zero": send(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", close=True),
    "has chunks that are none": send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", close=True
    ),
    "has a chunk of minus one": send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n", close=True
    ),
    "has a chunk without end": send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 100_000, close=True
    ),
    "is compressed only by name": http(b"{}", "200 OK", "Content-Encoding: gzip"),
    "is compressed too often": http(
        b"{}", "200 OK", "Content-Encoding: " + ", ".join(["gzip"] * 50)
    ),
    "is empty": http(b""),
    "is a page": http(b"<!doctype html><h1>Sorry</h1>", "200 OK", "Content-Type: text/html"),
    "is cut JSON": http(b'{"a": '),
    "is not UTF-8": http(b'{"a": "\xff"}'),
    "is too deep": http(b"[" * 100_000 + b"]" * 100_000),
    "is a number without end": http(b"9" * 5000),
    "is huge": http(b'"' + b"x" * 2 * ANSWER_MAX_BYTES + b'"'),
    "says nothing happened": http(b"", "204 No Content"),
    "redirects": http(b"{}", "302 Found", "Location: /elsewhere"),
    "redirects for good": http(b"{}", "308 Permanent Redirect", "Location: //elsewhere.example/"),
    "redirects nowhere": http(b"{}", "302 Found", "Location: http://[\xff"),
    "is a client's fault": http(b"{}", "400 Bad Request"),
    "is busy": http(b"{}", "429 Too Many Requests", "Retry-After: 1"),
    "is broken": http(b"{}", "500 Internal Server Error"),
    "is away": http(b"{}", "503 Service Unavailable", "Retry-After: 3600"),
    "has a status of its own": http(b"{}", "999 Whatever"),
}


def post(transport: Transport, url: str) -> requests.Response:
    prepared = requests.Request("POST", url, data={"code": SECRET}).prepare()
    return transport.send(prepared)


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """A TLS context with a self-signed certificate, and that certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    alternative: x509.GeneralName = x509.DNSName(name)
    with suppress(ValueError):
        alternative = x509.IPAddress(ipaddress.ip_address(name))
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path, key_path = folder / "certificate.pem", folder / "key.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key_path)
    return context, path


def trusting(path: Path, monkeypatch: pytest.MonkeyPatch) -> Transport:
    """A transport on a machine whose administrator trusts this certificate."""
    context = ssl.create_default_context(cafile=str(path))
    monkeypatch.setattr(module, "tls_context", lambda: context)
    return Transport()


def tunnel_to(provider: Peer) -> Answer:
    def tunnel(connection: socket.socket) -> None:
        """CONNECT: pass every byte on, both ways."""
        with socket.create_connection(("127.0.0.1", provider.port)) as onward:
            connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            back = threading.Thread(target=pump, args=(onward, connection), daemon=True)
            back.start()
            pump(connection, onward)
            back.join()

    return tunnel


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_RDWR)
