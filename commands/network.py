"""What can be measured of another server: how far its clock is from ours, its certificate's end."""

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
    """By how many seconds our clock is ahead of the server's that answers there, give or take one;
    None when it does not answer or does not say (the header Date, RFC 9110 6.6.1)."""
    before = time.time()
    try:
        response = transport.ask("GET", url)
        said = parsedate_to_datetime(response.headers["Date"]).timestamp()
    except (ProviderError, KeyError, ValueError):
        return None
    # What a cache answers with was made Age seconds ago (RFC 9111 5.1).
    age = response.headers.get("Age", "")
    said += int(age) if age.isascii() and age.isdigit() else 0
    # Whole seconds are said, so on average half of one is cut off.
    return (before + time.time()) / 2 - (said + 0.5)


def certificate_days(url: str, context: ssl.SSLContext | None = None) -> float:
    """For how many days the certificate of an https address is good yet.

    Raises ssl.SSLError when it is not good at all, another OSError when nobody is there.
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
