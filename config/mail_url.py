"""The address of a mail server, as MAIL_URL and its aliases write it."""

import ssl
from dataclasses import dataclass, field
from email.errors import MessageError
from email.policy import SMTP
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, SecretStr

from config.validators import is_loopback

Security = Literal["none", "starttls", "tls"]
# By scheme: what protects the connection, and the port by default (RFC 8314).
SCHEMES: dict[str, tuple[Security, int]] = {
    "smtp": ("none", 25),
    "smtp+starttls": ("starttls", 587),
    "smtps": ("tls", 465),
}

_NO_MAILBOX = "must be one address, such as Acme <no-reply@acme.org>"


@dataclass(frozen=True)
class MailURL:
    """A mail server, and how to sign in there (``user`` empty: not at all)."""

    host: str
    port: int
    security: Security
    user: str = ""
    password: str = field(default="", repr=False)


def read_mail_url(text: str) -> MailURL:
    """Read an address such as ``smtp+starttls://user:pass@smtp.example.org``; user and password are
    percent-encoded. Raises ValueError with a message that completes "MAIL_URL: …"."""
    parts = urlsplit(text)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise ValueError("must begin with smtp://, smtp+starttls:// or smtps://, and have a host")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must end with host and port; percent-encode / ? # in the password")
    security, usual_port = SCHEMES[parts.scheme]
    try:
        port = parts.port or usual_port
    except ValueError:
        raise ValueError("has no valid port; percent-encode : / @ in the password") from None
    if parts.scheme == "smtp" and port == 587:
        security = "starttls"
    if parts.scheme != "smtps" and port == 465:
        raise ValueError("has port 465, where TLS comes first: write smtps://")
    found = MailURL(
        parts.hostname, port, security, unquote(parts.username or ""), unquote(parts.password or "")
    )
    if found.user and security == "none" and not is_loopback(found.host):
        raise ValueError(
            "has a password that would travel in the clear: write smtp+starttls:// or smtps://"
        )
    return found


def check_mailbox(text: str) -> str:
    """Accept one address, with or without a name: ``Acme <no-reply@acme.org>``."""
    try:
        header = SMTP.header_factory("From", text)
    except (ValueError, IndexError, MessageError):
        raise ValueError(_NO_MAILBOX) from None
    addresses = header.addresses
    if header.defects or len(addresses) != 1 or not addresses[0].domain:
        raise ValueError(_NO_MAILBOX)
    if not addresses[0].username or not addresses[0].addr_spec.isascii():
        raise ValueError(_NO_MAILBOX)
    return str(header)


def check_mail_url(url: SecretStr) -> SecretStr:
    """Accept what ``read_mail_url`` reads."""
    read_mail_url(url.get_secret_value())
    return url


def check_ca_file(path: str) -> str:
    """Accept a file of certificates in PEM."""
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:  # SSLError is one
        raise ValueError(f"cannot be read as certificates ({type(error).__name__})") from None
    return path


MailServerURL = Annotated[SecretStr, AfterValidator(check_mail_url), "`smtp+starttls://…`"]
Mailbox = Annotated[str, AfterValidator(check_mailbox), "an address, also with a name before it"]
CertificateFile = Annotated[str, AfterValidator(check_ca_file), "path of a PEM file"]
