"""Messages to addresses that the operator names: over TLS, to public addresses, as public.py has
it; or to private ones, too, if the operator allows that. No redirect is followed.
"""

import ipaddress
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar

import urllib3

from errors import ProviderError
from providers.http.connections import TLSConnection, patience
from providers.http.public import CheckedConnection, PublicTransport, is_public
from providers.http.responses import Answer
from providers.http.transport import FAILURES, HEADERS

SECONDS = 15.0
# No more is read of a response: its status is all that counts.
READ_BYTES = 16 * 1024


_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
        *("::1/128", "fc00::/7"),
    )
)
# AWS gives out credentials there too.
_METADATA = ipaddress.ip_address("fd00:ec2::254")


def is_private(text: str) -> bool:
    """Return whether an address is one of this machine or of a private network. Link-local ones are
    not: there clouds give out their credentials."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:  # with a zone: link-local
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address != _METADATA and any(
        address.version == each.version and address in each for each in _PRIVATE
    )


class _AnyTLSConnection(CheckedConnection, TLSConnection):
    def may_connect_to(self, host: str) -> bool:
        return is_public(host) or is_private(host)


class _PrivateConnection(CheckedConnection):
    """Without TLS, so within a private network only."""

    def may_connect_to(self, host: str) -> bool:
        return is_private(host)


class _AnyTLSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _AnyTLSConnection


class _PrivatePool(urllib3.HTTPConnectionPool):
    ConnectionCls = _PrivateConnection


class _Receiver(PublicTransport):
    """For one message: nothing is kept of the receiver's host."""

    name = "webhooks"
    total_seconds = SECONDS

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        mark = patience.set(SECONDS)
        try:
            raw, content = self._exchange("POST", url, {**HEADERS, **headers}, body)
        finally:
            patience.reset(mark)
        return Answer(url, raw.status, raw.headers, content)

    def _read(self, response: urllib3.BaseHTTPResponse, _url: str) -> bytes:
        body = b""
        with suppress(*FAILURES):
            body = response.read(READ_BYTES, decode_content=False)
        response.close()
        return body


class _PrivateReceiver(_Receiver):
    pools: ClassVar[dict[str, Any]] = {"http": _PrivatePool, "https": _AnyTLSPool}


def post_to_receiver(
    url: str, headers: Mapping[str, str], body: bytes, *, allows_private: bool
) -> Answer:
    """Send a message. Raises ProviderError; its detail ends with the name of the fault:
    AddressRefused if the address is not allowed."""
    if not url.startswith("https://") and not allows_private:
        raise ProviderError("POST: NotHTTPS")
    transport = _PrivateReceiver() if allows_private else _Receiver()
    try:
        return transport.post(url, headers, body)
    finally:
        transport.close()
