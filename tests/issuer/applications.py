"""Applications that are told of sign-outs: a real server, whose answers a test chooses."""

import threading
from collections.abc import Iterator
from typing import Any

from werkzeug import Request, Response
from werkzeug.serving import make_server

from simulator.server import Quiet

CHUNK = b"x" * 65536


class Applications:
    """A server of applications, by path: one that hangs, one that redirects, one that never ends.
    The others answer with ``statuses``, one by one, then with 200."""

    def __init__(self, port: int = 0) -> None:
        self.statuses: list[int] = []
        self.seen: list[tuple[str, str]] = []
        self.sent_bytes = 0
        self.let_go = threading.Event()
        self._server = make_server(
            "127.0.0.1", port, self._answer, threaded=True, request_handler=Quiet
        )
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def paths(self) -> list[str]:
        """The applications that were told, in order."""
        return [path for path, _token in self.seen]

    def _answer(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        self.seen.append((request.path, request.form["logout_token"]))
        if request.path == "/slow":
            self.let_go.wait(30)
        if request.path == "/endless":
            return Response(self._endless(), 200)(environ, start_response)
        if request.path == "/moved":
            return Response("", 302, {"Location": f"{self.url}/quick"})(environ, start_response)
        status = self.statuses.pop(0) if self.statuses else 200
        return Response("", status)(environ, start_response)

    def _endless(self) -> Iterator[bytes]:
        while not self.let_go.is_set():
            self.sent_bytes += len(CHUNK)
            yield CHUNK

    def stop(self) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()
