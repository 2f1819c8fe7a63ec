"""Runs the doctor, and the servers that it examines."""

import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from werkzeug.serving import make_server

from simulator.server import Quiet
from tests.commands.console import run
from tests.site import Site

WSGI = Callable[[Any, Any], Iterable[bytes]]


def lines(site: Site, *words: str, status: int = 0) -> str:
    result = run(site, "providers", "check", *words)
    assert result.exit_code == status, result.output
    return result.stdout


def line_of(output: str, head: str) -> str:
    """The one line about this."""
    (line,) = [each for each in output.splitlines() if each[6:].startswith(head)]
    return line


@contextmanager
def served(application: WSGI, tls: ssl.SSLContext | None = None, ahead: float = 0) -> Iterator[str]:
    """Serve an application whose clock is this many seconds ahead of ours; yield its URL."""

    class Handler(Quiet):
        def date_time_string(self, timestamp: float | None = None) -> str:
            return formatdate((timestamp or time.time()) + ahead, usegmt=True)

    server = make_server(
        "127.0.0.1", 0, application, threaded=True, request_handler=Handler, ssl_context=tls
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def token_endpoint(age: int = 0) -> WSGI:
    """GitHub's; or a copy of its response that a cache has kept for this many seconds."""

    def answer(_environ: Any, start_response: Any) -> Iterable[bytes]:
        headers = [("Content-Type", "application/json")]
        headers += [("Age", str(age))] if age else []
        start_response("200 OK", headers)
        return [b'{"error": "bad_verification_code"}']

    return answer


def certificate(folder: Path, *, days: float, since_days: float = 400) -> tuple[Any, Path]:
    """A TLS context for localhost, with a certificate that expires in this many days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=since_days))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
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
