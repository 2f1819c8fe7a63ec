"""A listener in place of an application behind a gate: it keeps what a proxy sends it."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Headers = list[tuple[str, str]]
WAIT_SECONDS = 1.0


class Listener:
    """Keeps what came in for each path and query, with the headers as they were sent."""

    def __init__(self) -> None:
        self._received: queue.Queue[tuple[str, Headers]] = queue.Queue()

    def keep(self, target: str, headers: Headers) -> None:
        self._received.put((target, headers))

    def received(self, target: str) -> Headers | None:
        """Return the headers of the request for this path and query; None if it did not come."""
        while True:
            try:
                found, headers = self._received.get(timeout=WAIT_SECONDS)
            except queue.Empty:
                return None
            if found == target:
                return headers


@contextmanager
def listening(host: str, port: int) -> Iterator[Listener]:
    """Listen while the block runs. Raises OSError if the address cannot be had."""
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        """Keeps each request, and answers with nothing."""

        def do_GET(self) -> None:
            listener.keep(self.path, list(self.headers.items()))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer((host, port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
