"""The settings of what providers report to us, and of what we tell others, in groups."""

from typing import Annotated, Literal

from pydantic import Field

from config.groups import Group
from config.mail_url import Address, CertificateFile, Mailbox, MailServerURL


class Inbox(Group):
    """Reports of providers ([inbox](../operate/inbox.md))."""

    inbox_orphans: Literal["delete", "keep"] = "delete"
    """`delete`: an account whose last identity is gone at its provider is deleted after
    `INBOX_GRACE_DAYS`. `keep`: it stays."""

    inbox_grace_days: Annotated[int, Field(ge=0, le=365)] = 7
    """Days in which its person can still come back."""

    probe_hours: Annotated[int, Field(ge=0, le=8760)] = 24
    """Hours after which the provider of somebody who is signed in is asked again whether the
    permission still stands, for providers that report nothing. `0`: never."""

    probe_ends_sessions: bool = True
    """Whether the sessions end that an identity started whose provider no longer accepts the
    permission."""


class Mail(Group):
    """Mail to people about their accounts ([mail](../operate/mail.md))."""

    mail_url: MailServerURL | None = None
    """Mail server, with percent-encoded user and password: `smtp+starttls://user:pass@host:587`,
    `smtps://user:pass@host:465`, or `smtp://host:25` without encryption. Default: no mail is sent.
    Aliases: `SMTP_URL`, or `SMTP_HOST` and `MAIL_SERVER` with what belongs to each."""

    mail_from: Mailbox | None = None
    """Sender, such as `Acme <no-reply@acme.org>`; needed with `MAIL_URL`. Aliases: `SMTP_FROM`,
    `MAIL_DEFAULT_SENDER`."""

    mail_reply_to: Mailbox | None = None
    """Address that answers go to. Default: the sender."""

    mail_ca_file: CertificateFile | None = None
    """Certificates to trust at the mail server in place of the system's."""

    mail_timeout: Annotated[int, Field(ge=1, le=120)] = 15
    """Seconds that each answer of the mail server may take."""


class Webhooks(Group):
    """Signed messages to your own systems ([webhooks](../operate/webhooks.md))."""

    operator_email: Address | None = None
    """Your address: it gets a mail when somebody waits for approval, at most once an hour, and when
    a webhook is disabled because it takes nothing any more."""

    webhook_allow_private: bool = False
    """`1`: webhooks may be on this machine or in a private network, there also without TLS."""
