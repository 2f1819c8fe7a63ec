"""A tree as an image has it, servers run from it, and proxies in front of them."""

import ipaddress
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from simulator import Server
from tests.missing import lack
from tests.prepare import find
from tests.system.packages import context
from tests.system.packages.fronts import Front, Proxy


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the Dockerfile makes /app of: the files that come in, compiled, writable to nobody."""
    folder = tmp_path_factory.mktemp("image") / "app"
    context.copy(folder)
    command = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(folder)]
    subprocess.run([sys.executable, *command], check=True)
    (folder / "instance").mkdir()
    return folder


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with fullchain.pem and privkey.pem of localhost and hosts below it."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    hosts = ("localhost", "wiki.localhost", "photos.localhost")
    names = [*map(x509.DNSName, hosts), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "privkey.pem").write_bytes(private)
    return folder


@pytest.fixture
def make_front(
    tmp_path: Path,
    tree: Path,
    template: Path,
    certificate: Path,
    make_look_alikes: Callable[..., Server],
) -> Iterator[Callable[..., Front]]:
    """``make_front("nginx/quickstep.conf")`` starts Quickstep behind that very example."""
    with ExitStack() as running:

        def make(example: str, instances: int = 1) -> Front:
            proxy = make_proxy(example, instances)
            front = Front(proxy, tree, template, tmp_path, make_look_alikes)
            running.callback(front.stop)
            return front

        def make_proxy(example: str, instances: int = 1) -> Proxy:
            program = example.partition("/")[0]
            path = find(program)
            if path is None:
                lack(program)
            proxy = Proxy(path or "", example, tmp_path, certificate, instances)
            running.callback(proxy.stop)
            return proxy

        make.proxy = make_proxy  # type: ignore[attr-defined]
        yield make
