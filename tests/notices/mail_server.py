"""A real mail server (aiosmtpd) that refuses, fails, drops and hangs on request."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from importlib import import_module
from typing import Any

from tests.missing import lack
from tests.processes import free_port

USER, PASSWORD = "quickstep", "p/w @1"
ENCODED = "quickstep:p%2Fw%20%401"


class MailServer:
    """A server and what it took. ``answers``: by command (RCPT, MAIL or DATA), what it says in
    place of 250; ``drop`` ends the connection, ``hang`` says nothing."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.receivers: list[str] = []
        self.answers: dict[str, str] = {}
        self.tried = 0
        self.port = 0

    @property
    def subjects(self) -> list[str]:
        return [str(message["Subject"]) for message in self.taken]

    async def _say(self, server: Any, command: str) -> str | None:
        answer = self.answers.get(command)
        if answer == "drop":
            server.transport.abort()
            return "421 dropped"
        if answer == "hang":
            await asyncio.sleep(1.5)
            return "421 late"
        return answer

    async def handle_MAIL(  # noqa: N802 (aiosmtpd's names)
        self, server: Any, _session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        self.tried += 1
        envelope.mail_from, envelope.mail_options = address, options
        return (await self._say(server, "MAIL")) or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        said = await self._say(server, "RCPT")
        if said is None:
            envelope.rcpt_tos.append(address)
        return said or "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if said := await self._say(server, "DATA"):
            return said
        message = message_from_bytes(envelope.content, policy=default)
        self.taken.append(message)
        self.receivers += envelope.rcpt_tos
        return "250 taken"


def part_of_aiosmtpd(name: str) -> Any:
    try:
        return import_module(f"aiosmtpd.{name}")
    except ImportError:
        lack("aiosmtpd")


@contextmanager
def serving(
    tls: ssl.SSLContext | None = None, *, starttls: bool = False, auth: bool = False
) -> Iterator[MailServer]:
    """Run a server on loopback, with TLS from the beginning or by STARTTLS."""
    smtp, controller = part_of_aiosmtpd("smtp"), part_of_aiosmtpd("controller")
    handler = MailServer()

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> Any:
        known = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return smtp.AuthResult(success=known, handled=False)

    def factory() -> Any:
        return smtp.SMTP(
            handler,
            hostname="mail.test",
            tls_context=tls if starttls else None,
            require_starttls=starttls,
            authenticator=check if auth else None,
            auth_required=auth,
            auth_require_tls=tls is not None and starttls,
        )

    running = controller.Controller(
        handler, "127.0.0.1", free_port(), ssl_context=None if starttls else tls
    )
    running.factory = factory
    handler.port = running.port
    running.start()
    try:
        yield handler
    finally:
        running.stop()
