"""Receivers of webhooks, real servers whose answers a test chooses; and the webhooks of a site."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks.webhooks import Webhook
from werkzeug import Request, Response
from werkzeug.serving import make_server

from notices import deliveries, webhooks
from simulator.server import Quiet
from storage import atomic
from tests.commands.console import answer
from tests.site import Site
from views.notices.webhooks import sender

send = sender(allows_private=True)


@dataclass(frozen=True)
class Message:
    """A message as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """What the reference library reads; raises if the signature is none of this secret."""
        return Webhook(secret).verify(self.body, dict(self.headers))


@dataclass(frozen=True)
class Reply:
    """What a receiver answers."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


class Receiver:
    """Answers with ``replies``, one by one, then with 204; at /slow once it is let go."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.seen: list[Message] = []
        self.let_go = threading.Event()
        self._server = make_server(
            "127.0.0.1", 0, self._answer, threaded=True, request_handler=Quiet
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def ids(self) -> list[str]:
        return [message.id for message in self.seen]

    def _answer(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        headers = {name.lower(): text for name, text in request.headers.items()}
        self.seen.append(Message(request.path, headers, request.get_data()))
        if request.path == "/slow":
            self.let_go.wait(20)
        reply = self.replies.pop(0) if self.replies else Reply(204)
        return Response("", reply.status, reply.headers)(environ, start_response)

    def stop(self) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()


def add(site: Site, url: str, *options: str) -> Any:
    """Add a webhook by the command: its id, its secret and the rest."""
    return answer(site, "webhooks", "add", url, *options)


def plan(site: Site, kind: str = "user.created", **data: str) -> None:
    """Let this happen, in a transaction of its own."""

    @atomic
    def write() -> None:
        webhooks.plan(kind, {"user_id": "0" * 32, **data})

    site.inside(write)


def deliver(site: Site) -> list[str]:
    """Try what is due once."""
    return list(site.inside(deliveries.deliver_due, send))


def make_due(site: Site) -> None:
    site.execute("UPDATE deliveries SET due_at = '2026-01-01 00:00:00+00:00'")


def waiting(site: Site) -> int:
    return int(site.inside(webhooks.waiting).count)


def state(site: Site, webhook_id: str) -> Any:
    """What the list says of a webhook."""
    items = answer(site, "webhooks", "list")["items"]
    return next(item for item in items if item["id"] == webhook_id)
