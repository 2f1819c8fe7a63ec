"""Requests to addresses that strangers name: over TLS, to public addresses only.

A name is resolved once, and the connection goes to the address that was checked: an answer of the
name server that changes in between (DNS rebinding) leads nowhere else. No proxy of the environment
is taken, since it would resolve the name again. No redirect is followed.
"""

import ipaddress
import socket
import threading
import time
from contextlib import suppress
from typing import Any, ClassVar

import urllib3
from urllib3.util.connection import create_connection

from errors import ProviderDown
from providers.http.connections import CONNECT_SECONDS, Connection, TLSConnection, deadline
from providers.http.responses import Answer, place
from providers.http.transport import Transport

MAX_BYTES = 5 * 1024
SECONDS = 5.0
# Slow strangers take no more threads than this.
PLACES = threading.BoundedSemaphore(4)

_IPV6_UNICAST = ipaddress.IPv6Network("2000::/3")
# IPv4 addresses inside IPv6 ones (6to4), and the relays between them.
_TUNNELS = (ipaddress.IPv6Network("2002::/16"), ipaddress.IPv4Network("192.88.99.0/24"))


def is_public(text: str) -> bool:
    """Return whether an address is one of the public internet, and of no special use."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:  # with a zone: link-local
        return False
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if any(address.version == each.version and address in each for each in _TUNNELS):
        return False
    return address.version == 4 or address in _IPV6_UNICAST


class AddressRefused(urllib3.exceptions.NewConnectionError):
    """The name leads to an address that is not connected to."""


class CheckedConnection(Connection):
    """Connects to an address that was checked, and checks who is at the other end."""

    def may_connect_to(self, host: str) -> bool:
        """Tell whether this address of the name is allowed. All of them must be."""
        return is_public(host)

    def _new_conn(self) -> socket.socket:
        try:
            found = self._addresses()
        except (OSError, UnicodeError) as error:
            raise urllib3.exceptions.NewConnectionError(self, str(error)) from error
        hosts = [str(host) for *_, (host, *_) in found if self.may_connect_to(str(host))]
        if not hosts or len(hosts) < len(found):
            raise AddressRefused(self, "not a public address")
        *others, last = hosts
        for host in others:
            with suppress(urllib3.exceptions.NewConnectionError):
                return self._connect_to(host)
        return self._connect_to(last)

    def _connect_to(self, host: str) -> socket.socket:
        remaining = deadline.get() - time.monotonic()
        if remaining <= 0:
            raise urllib3.exceptions.ConnectTimeoutError(self, "timed out")
        try:
            connection = create_connection((host, self.port), min(CONNECT_SECONDS, remaining))
        except OSError as error:
            raise urllib3.exceptions.NewConnectionError(self, str(error)) from error
        peer = str(connection.getpeername()[0])
        if peer != host or not self.may_connect_to(peer):
            connection.close()
            raise AddressRefused(self, "another address answers")
        return connection


class _PublicConnection(CheckedConnection, TLSConnection):
    pass


class _PublicPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _PublicConnection


class PublicTransport(Transport):
    """For one request: nothing is kept of a stranger's host."""

    name = "documents"
    max_bytes, max_words = MAX_BYTES, "5 kB"
    total_seconds = SECONDS
    # A small body could be unpacked to a large one.
    decodes = False
    pools: ClassVar[dict[str, Any]] = {"https": _PublicPool}

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self.pools

    def _pools_for(self, _origin: str) -> Any:
        return self.poolmanager


def ask_public(url: str) -> Answer:
    """Fetch an https URL of a stranger. Raises ProviderError, or ProviderDown if too many are being
    fetched."""
    if not url.startswith("https://"):
        raise ProviderDown(f"GET {place(url)}: not https")
    if not PLACES.acquire(blocking=False):
        raise ProviderDown(f"GET {place(url)}: too many at the same time")
    transport = PublicTransport()
    try:
        return transport.ask("GET", url)
    finally:
        transport.close()
        PLACES.release()
