"""The door to the mail server: a connection, and what its refusals mean."""

import re
import smtplib
import ssl
from email.message import EmailMessage

import certifi

from notices.server import MailServer

# The server ends the connection (RFC 5321 4.2.2).
CLOSING = 421
PERMANENT = 500
# Not the address, but sender, message or policy (RFC 3463 3.2, 3.8).
NOT_THE_ADDRESS = re.compile(rb"5\.(7|1\.[78])")


class Failed(Exception):
    """A mail did not go out. The text is a status or a fault: never words of the server, which may
    name the address."""


class AddressRefused(Failed):
    """The server knows for good that nothing can be sent to this address."""


class MailPostponed(Failed):
    """The server does not take this mail now."""


class ServerAway(Failed):
    """The server cannot be reached, or ended the connection."""


class Unwelcome(ServerAway):
    """The server refuses us, and will until the operator changes something: password, sender, TLS
    or certificate."""


class Connection:
    """An open connection to the mail server, for one message after the other.

    Certificates are always checked, and a server without the encryption that MAIL_URL asks for gets
    no message. Opening it raises ServerAway.
    """

    def __init__(self, server: MailServer) -> None:
        self._smtp = _open(server)

    def close(self) -> None:
        try:
            self._smtp.quit()
        except (smtplib.SMTPException, OSError):
            self._smtp.close()

    def send(self, message: EmailMessage, sender: str, to: str) -> None:
        """Send a message to one address. Raises Failed."""
        try:
            self._smtp.send_message(message, sender, [to])
        except smtplib.SMTPRecipientsRefused as error:
            code, words = error.recipients[to]
            raise _of_recipient(code, words) from None
        except smtplib.SMTPSenderRefused as error:
            kind: type[Failed] = Unwelcome if error.smtp_code >= PERMANENT else ServerAway
            raise kind(f"MAIL {error.smtp_code}") from None
        except smtplib.SMTPDataError as error:
            kind = ServerAway if error.smtp_code == CLOSING else MailPostponed
            raise kind(f"DATA {error.smtp_code}") from None
        except (smtplib.SMTPNotSupportedError, UnicodeError):
            raise AddressRefused("address beyond ASCII") from None
        except (smtplib.SMTPException, OSError) as error:
            raise ServerAway(_name_of(error)) from None


def _of_recipient(code: int, words: bytes) -> Failed:
    if code == CLOSING:
        return ServerAway(f"RCPT {code}")
    is_for_good = code >= PERMANENT and not NOT_THE_ADDRESS.match(words)
    return (AddressRefused if is_for_good else MailPostponed)(f"RCPT {code}")


def _open(server: MailServer) -> smtplib.SMTP:
    url, context = server.url, _context(server)
    try:
        if url.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                url.host, url.port, server.host, timeout=server.seconds, context=context
            )
        else:
            smtp = smtplib.SMTP(url.host, url.port, server.host, timeout=server.seconds)
    except (smtplib.SMTPException, OSError) as error:
        raise _of_opening(error) from None
    try:
        if url.security == "starttls":
            smtp.starttls(context=context)
        if url.user:
            smtp.login(url.user, url.password)
    except (smtplib.SMTPException, OSError) as error:
        smtp.close()
        raise _of_opening(error) from None
    return smtp


def _of_opening(error: Exception) -> Failed:
    match error:
        case smtplib.SMTPAuthenticationError():
            kind = Unwelcome if error.smtp_code >= PERMANENT else ServerAway
            return kind(f"AUTH {error.smtp_code}")
        case smtplib.SMTPNotSupportedError():
            return Unwelcome("no STARTTLS or AUTH at this server")
        case ssl.SSLCertVerificationError():
            return Unwelcome("certificate not trusted")
        case smtplib.SMTPResponseException():
            return ServerAway(f"status {error.smtp_code}")
    return ServerAway(_name_of(error))


def _name_of(error: Exception) -> str:
    # A time-out within a conversation comes as a disconnection with these words.
    if isinstance(error, TimeoutError) or "timed out" in str(error):
        return "timed out"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "connection lost"
    return type(error).__name__


def _context(server: MailServer) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=server.ca_file)
    if server.ca_file is None:
        context.load_verify_locations(certifi.where())
    return context
