"""Measurements of another server: the offset of its clock, the expiry of its certificate."""

import socket
import ssl
import time
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from errors import ProviderError
from providers.http.connections import CONNECT_SECONDS, tls_context
from providers.http.transport import Transport

DAY_SECONDS = 86400


def clock_offset(transport: Transport, url: str) -> float | None:
    """Return by how many seconds our clock is ahead of the server's, within one second; None if it
    does not respond or has no Date header (RFC 9110 6.6.1)."""
    before = time.time()
    try:
        response = transport.ask("GET", url)
        said = parsedate_to_datetime(response.headers["Date"]).timestamp()
    except (ProviderError, KeyError, ValueError):
        return None
    # A cached response was generated Age seconds ago (RFC 9111 5.1).
    age = response.headers.get("Age", "")
    said += int(age) if age.isascii() and age.isdigit() else 0
    # Date has whole seconds, so half a second is cut off on average.
    return (before + time.time()) / 2 - (said + 0.5)


def certificate_days(url: str, context: ssl.SSLContext | None = None) -> float:
    """Return for how many days the certificate of an https address is still valid.

    Raises ssl.SSLError if it is invalid, and another OSError if nobody responds.
    """
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or 443)
    with (
        socket.create_connection(address, CONNECT_SECONDS) as plain,
        (context or tls_context()).wrap_socket(plain, server_hostname=address[0]) as secure,
    ):
        certificate = secure.getpeercert() or {}
    end = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    return (end - time.time()) / DAY_SECONDS
