"""A mail server that keeps what comes and passes nothing on, and the page that shows it: for
demonstrations. It takes mail from this machine only, without encryption or password.
"""

import socketserver
import threading
from collections import deque
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count

from flask import Blueprint, Response, abort, render_template

KEPT = 50
MAX_BYTES = 1_000_000
MAX_LINE = 2000
SECONDS = 30
# Its pages stand below this first part of the path.
PATH = "demo"
# A message's own style is in its markup; nothing else loads.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True)
class Kept:
    """A message that came."""

    number: int
    message: EmailMessage

    def part(self, kind: str) -> str:
        """Return the text of a part: plain or html."""
        found = self.message.get_body((kind,))
        return str(found.get_content()) if found else ""


class Mailbox:
    """``port``: where the server listens on loopback; 0 while it does not run."""

    def __init__(self) -> None:
        self.port = 0
        self.kept: deque[Kept] = deque(maxlen=KEPT)
        self._numbers = count(1)
        self._server: socketserver.ThreadingTCPServer | None = None

    def start(self) -> None:
        """Take mail from now on."""

        class Conversation(_Conversation):
            mailbox = self

        self._server = _Server(("127.0.0.1", 0), Conversation)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()

    def keep(self, content: bytes) -> None:
        message = message_from_bytes(content, policy=policy.default)
        self.kept.appendleft(Kept(next(self._numbers), message))


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


class _Conversation(socketserver.StreamRequestHandler):
    """One connection (RFC 5321 4.1)."""

    mailbox: Mailbox
    timeout = SECONDS
    ANSWERS = (
        (("EHLO", "HELO"), "250 mailbox"),
        (("MAIL", "RCPT", "RSET", "NOOP"), "250 OK"),
        (("DATA",), "354 End with a dot"),
        (("QUIT",), "221 Bye"),
    )

    def handle(self) -> None:
        self._say("220 mailbox")
        while line := self.rfile.readline(MAX_LINE):
            command = line[:4].decode("ascii", "replace").upper()
            known = (answer for commands, answer in self.ANSWERS if command in commands)
            self._say(next(known, "502 Not here"))
            if command == "QUIT":
                return
            if command == "DATA" and not self._take():
                return

    def _take(self) -> bool:
        """Read a message to its end; False if it is too long, or ends before."""
        lines: list[bytes] = []
        size = 0
        while size < MAX_BYTES and (line := self.rfile.readline(MAX_LINE)):
            if line == b".\r\n":
                self.mailbox.keep(b"".join(lines))
                self._say("250 Kept")
                return True
            size += len(line)
            lines.append(line.removeprefix(b"."))
        return False

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


def blueprint(mailbox: Mailbox) -> Blueprint:
    routes = Blueprint("mailbox", __name__, url_prefix=f"/{PATH}/mail")

    @routes.get("")
    def show_all() -> str:
        return render_template("mailbox.html", kept=list(mailbox.kept))

    @routes.get("/<int:number>")
    def show(number: int) -> Response:
        """Show a message as a mail program would."""
        found = next((each for each in mailbox.kept if each.number == number), None)
        if found is None:
            abort(404)
        return Response(found.part("html"), headers={"Content-Security-Policy": POLICY})

    return routes
