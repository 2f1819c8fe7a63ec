"""The mail server of a site, and what stands on each of its messages."""

from dataclasses import dataclass

from config.mail_url import MailURL


@dataclass(frozen=True)
class MailServer:
    """How a site sends mail.

    ``sender``: the From header, such as ``Acme <no-reply@acme.org>``. ``ca_file``: a PEM file of
    certificates to trust in place of the system's. ``seconds``: for each answer of the server.
    ``base_url``, ``host``, ``product``, ``support_url``: what the messages name.
    """

    url: MailURL
    sender: str
    reply_to: str
    ca_file: str | None
    seconds: float
    base_url: str
    host: str
    product: str
    support_url: str | None
